using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>
/// A script that decides where calls go, in runspaces of its own: the prompt and the pipelines of the user are not
/// touched, and nothing in it can ask a person. A run that is not wanted any more is stopped.
/// </summary>
internal sealed class RouteScript : IDisposable
{
    private readonly RunspacePool _pool;
    private readonly string _script;
    private readonly object?[] _arguments;

    private RouteScript(string script, IEnumerable<SessionStateVariableEntry> variables, object?[] arguments, int throttle)
    {
        _script = script;
        _arguments = arguments;
        InitialSessionState state = InitialSessionState.CreateDefault2();
        state.Variables.Add(variables);
        _pool = RunspaceFactory.CreateRunspacePool(state);
        _pool.SetMinRunspaces(1);
        _pool.SetMaxRunspaces(throttle);
        _pool.Open();
    }

    /// <summary>Makes it ready to run. $using:name stands for the value that the variable has now.</summary>
    /// <exception cref="SipArgumentException">A $using: that is no variable.</exception>
    public static RouteScript Prepare(ScriptBlock script, SessionState session, object?[] arguments, int throttle)
    {
        string text = script.ToString();
        var variables = new Dictionary<string, SessionStateVariableEntry>(StringComparer.OrdinalIgnoreCase);
        int offset = script.Ast is ScriptBlockAst ast ? BodyOffset(ast, text) : 0;
        foreach (UsingExpressionAst used in script.Ast.FindAll(a => a is UsingExpressionAst, searchNestedScriptBlocks: true).Cast<UsingExpressionAst>().OrderByDescending(u => u.Extent.StartOffset))
        {
            if (used.SubExpression is not VariableExpressionAst variable || offset < 0) throw new SipArgumentException("ScriptBlock", used.Extent.Text, "$using: stands before the name of a variable.");
            string name = "__using_" + variable.VariablePath.UserPath.Replace(':', '_');
            variables[name] = new SessionStateVariableEntry(name, session.PSVariable.GetValue(variable.VariablePath.UserPath), null);
            int start = used.Extent.StartOffset - offset;
            text = string.Concat(text.AsSpan(0, start), "${" + name + "}", text.AsSpan(start + used.Extent.Text.Length));
        }

        return new RouteScript(text, variables.Values, arguments, throttle);
    }

    /// <summary>Runs it for one question.</summary>
    public async Task<SipRouteAnswer?> DecideAsync(SipRouteQuestion question, CancellationToken token)
    {
        using var shell = System.Management.Automation.PowerShell.Create();
        shell.RunspacePool = _pool;
        shell.AddScript(_script).AddArgument(question);
        foreach (object? argument in _arguments) shell.AddArgument(argument);
        // Not waited for: a script that cannot be stopped holds its runspace, not us.
        using CancellationTokenRegistration stop = token.UnsafeRegister(static s => _ = ((System.Management.Automation.PowerShell)s!).BeginStop(null, null), shell);
        PSDataCollection<PSObject> output = await Task.Factory.FromAsync(shell.BeginInvoke(), shell.EndInvoke).ConfigureAwait(false);
        token.ThrowIfCancellationRequested();
        if (shell.HadErrors && shell.Streams.Error.Count > 0) throw new InvalidOperationException(shell.Streams.Error[0].ToString());
        object? last = output.LastOrDefault(o => o is not null)?.BaseObject;
        return Read(last);
    }

    /// <summary>What a script gave: text is a target, a hashtable or an object has the properties of an answer, nothing leaves the call to the server.</summary>
    /// <exception cref="SipArgumentException">Something else.</exception>
    internal static SipRouteAnswer? Read(object? given)
    {
        switch (given)
        {
            case null or "":
                return null;
            case SipRouteAnswer answer:
                return answer;
            case string target:
                return new SipRouteAnswer { Target = target };
            case HangupCause cause:
                return new SipRouteAnswer { Refuse = cause };
            case IDictionary table:
                return Read(table);
            default:
                throw new SipArgumentException("ScriptBlock", given.ToString(), "a target as text, a hashtable with Target or Refuse, or nothing.");
        }
    }

    public void Dispose() => _ = Task.Run(_pool.Dispose);

    private static SipRouteAnswer Read(IDictionary table)
    {
        var answer = new SipRouteAnswer();
        foreach (DictionaryEntry entry in table)
        {
            object? value = entry.Value is PSObject wrapped ? wrapped.BaseObject : entry.Value;
            answer = entry.Key.ToString()?.ToUpperInvariant() switch
            {
                "TARGET" => answer with { Target = value?.ToString() },
                "REFUSE" => answer with { Refuse = LanguagePrimitives.ConvertTo<HangupCause>(value) },
                "CALLERID" => answer with { CallerId = value?.ToString() },
                "RINGTIME" => answer with { RingTime = value is TimeSpan time ? time : TimeSpan.FromSeconds(LanguagePrimitives.ConvertTo<double>(value)) },
                "PARAMETERS" when value is IDictionary parameters => answer with { Parameters = [.. parameters.Cast<DictionaryEntry>().Select(p => new KeyValuePair<string, string>(p.Key.ToString()!, p.Value?.ToString() ?? ""))] },
                _ => throw new SipArgumentException("ScriptBlock", entry.Key.ToString(), "a hashtable with Target or Refuse, and CallerId, RingTime (seconds) and Parameters (a hashtable) if wanted."),
            };
        }

        return answer;
    }

    // A script block's text has no braces, its syntax tree counts from the file it stands in.
    private static int BodyOffset(ScriptBlockAst ast, string text)
    {
        int at = ast.Extent.Text.IndexOf(text, StringComparison.Ordinal);
        return at < 0 ? -1 : ast.Extent.StartOffset + at;
    }
}
