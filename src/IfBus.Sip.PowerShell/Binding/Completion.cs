using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using IfBus.Sip.Hosting;

namespace IfBus.Sip.Binding;

/// <summary>Helpers of the completers.</summary>
internal static class Completion
{
    /// <summary>Quotes a value where a command line needs it.</summary>
    public static string Quote(string value) =>
        value.Length > 0 && value.All(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '_' or '/' or ':' or '+') && value[0] is not '-'
            ? value
            : "'" + CodeGeneration.EscapeSingleQuotedStringContent(value) + "'";

    /// <summary>The pattern for what was typed so far, quotes taken off.</summary>
    public static WildcardPattern Pattern(string? word) => new((word ?? "").Trim('\'', '"') + "*", WildcardOptions.IgnoreCase);

    /// <summary>Makes one result.</summary>
    public static CompletionResult Result(string value, string toolTip) => new(Quote(value), value, CompletionResultType.ParameterValue, toolTip);
}

/// <summary>Completes the names of connections, from memory.</summary>
public sealed class ServerCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
#pragma warning disable CA1031 // a key press must never end in an error
        try
        {
            WildcardPattern pattern = Completion.Pattern(wordToComplete);
            return [.. ServerStore.Current.Servers.Where(s => pattern.IsMatch(s.Name)).Select(s => Completion.Result(s.Name, Tip(s.Adapter.Server)))];
        }
        catch (Exception)
        {
            return [];
        }
#pragma warning restore CA1031
    }

    private static string Tip(SipServer server) => $"{server.Version ?? server.Type.ToString()} at {server.Host}:{server.Port}, {server.State}";
}

/// <summary>Completes call ids that this session has seen and that have not ended, from memory.</summary>
public sealed class CallIdCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
#pragma warning disable CA1031 // a key press must never end in an error
        try
        {
            bool ended = commandName is not null && commandName.EndsWith("DetailRecord", StringComparison.OrdinalIgnoreCase);
            return Complete(wordToComplete, fakeBoundParameters?["Server"]?.ToString(), ended);
        }
        catch (Exception)
        {
            return [];
        }
#pragma warning restore CA1031
    }

    private static List<CompletionResult> Complete(string word, string? server, bool ended)
    {
        ServerStore store = ServerStore.Current;
        WildcardPattern pattern = Completion.Pattern(word);
        var results = new List<CompletionResult>();
        // The call made last is the one most likely meant.
        foreach ((string name, string callId) in store.RecentCalls.Reverse().Distinct())
        {
            if (!pattern.IsMatch(callId) || (server is not null && !server.Equals(name, StringComparison.OrdinalIgnoreCase))) continue;
            if (!store.TryFind(name, out ISipAdapter? adapter) || adapter.FindCall(callId) is not { } call || (call.IsEnded && !ended)) continue;
            results.Add(Completion.Result(callId, $"{Leftovers.Parties(call.From, call.To)}, {call.State}, on {name}"));
        }

        return results;
    }
}
