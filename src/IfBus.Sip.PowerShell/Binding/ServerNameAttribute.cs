using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using IfBus.Sip.PowerShell.Hosting;
using IfBus.Sip.PowerShell.Profiles;

namespace IfBus.Sip.PowerShell.Binding;

/// <summary>Takes a server by name or as an object (SipServer, a call, or what came back from a job or a file) and gives its name.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class ServerNameAttribute : ArgumentTransformationAttribute
{
    /// <summary>
    /// The parameter takes whole objects of the pipeline. Only servers are taken then: a room or a queue has a name too,
    /// and is left to the parameters that take properties.
    /// </summary>
    public bool FromPipeline { get; set; }

    /// <summary>The parameter takes objects only: what is piped as a text is the id of a call there.</summary>
    public bool ObjectsOnly { get; set; }

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        if (inputData is IList list)
        {
            string[] names = new string[list.Count];
            for (int i = 0; i < names.Length; i++) names[i] = Name(list[i])!;
            return names;
        }

        return Name(inputData)!;
    }

    private string? Name(object? input)
    {
        object? value = input is PSObject wrapped ? wrapped.BaseObject : input;
        // An empty column of a table of calls is the same as none.
        if (value is string name && !ObjectsOnly) return string.IsNullOrWhiteSpace(name) ? null : name;
        if (value is SipServer server)
        {
            ServerStore.Current.Borrow(server);
            return server.Name;
        }

        // A deserialized SipServer is a bag of properties.
        if (input is PSObject { Properties: { } properties } bag && properties["Name"]?.Value is string fromBag && (!FromPipeline || bag.TypeNames.Any(t => t.EndsWith("." + typeof(SipServer).FullName, StringComparison.Ordinal)))) return fromBag;
        const string Rule = "-Server takes the name of a connection, or an object of Get-SipServer.";
        // By this cause the binder knows that the object may be for another parameter.
        throw new ArgumentTransformationMetadataException(Rule, new PSInvalidCastException(Rule));
    }
}

/// <summary>Completes names of connections. Knows what is in memory only.</summary>
public sealed class ServerNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completion.Match(wordToComplete, () => ServerStore.Current.All.Select(c => (c.Name, c.Adapter.Server.Host)));
}

/// <summary>Completes names of registered servers, which stand in a small file.</summary>
public sealed class ProfileNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completion.Match(wordToComplete, () => ProfileStore.Names());
}

/// <summary>Completes names of connections, or with -Registered of registered servers.</summary>
public sealed class ShownServerNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        IArgumentCompleter names = fakeBoundParameters.Contains(nameof(Commands.GetSipServer.Registered)) ? new ProfileNameCompleter() : new ServerNameCompleter();
        return names.CompleteArgument(commandName, parameterName, wordToComplete, commandAst, fakeBoundParameters);
    }
}

/// <summary>Completes ids of live calls. Knows what is in memory only.</summary>
public sealed class CallIdCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completion.Match(wordToComplete, () => ServerStore.Current.All.Where(c => Meant(c, fakeBoundParameters)).SelectMany(c => c.Adapter.KnownCalls).Select(c => (c.CallId, SipText.Printable($"{c.From} -> {c.To} {c.State}"))));

    private static bool Meant(ServerStore.Connection connection, IDictionary given) =>
        given["Server"] is not { } server || connection.Name.Equals(server.ToString(), StringComparison.OrdinalIgnoreCase);
}

/// <summary>Completes names of rooms, trunks, queues, routes and the like that were put out in this session. Knows what is in memory only.</summary>
public sealed class SeenNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completion.Match(wordToComplete, () => SeenNames.Of(commandName[(commandName.IndexOf('-', StringComparison.Ordinal) + 1)..]));
}

internal static class Completion
{
    public static IEnumerable<CompletionResult> Match(string word, Func<IEnumerable<(string Value, string Tip)>> values)
    {
        try
        {
            var pattern = new WildcardPattern((word ?? "").Trim('\'', '"') + "*", WildcardOptions.IgnoreCase);
            return [.. values().Where(v => pattern.IsMatch(v.Value)).Take(100).Select(v => new CompletionResult(Quote(v.Value), v.Value, CompletionResultType.ParameterValue, v.Tip))];
        }
        catch (Exception e) when (e is InvalidOperationException or WildcardPatternException or ProfileException)
        {
            // A completer that throws spoils the prompt.
            return [];
        }
    }

    private static string Quote(string value) => value.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.') ? value : "'" + CodeGeneration.EscapeSingleQuotedStringContent(value) + "'";
}
