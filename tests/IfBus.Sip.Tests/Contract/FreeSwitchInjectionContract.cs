using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Text.Json;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>
/// What callers give stays a value, by what the server says of itself to somebody else: every hole of its syntax
/// (wire/freeswitch, originate), through every parameter that ends in a command of it. Which of them is taken as a value
/// is said too: a module that refuses everything would be safe and useless.
/// </summary>
public abstract class FreeSwitchInjectionContract : FreeSwitchServerContract
{
    // A number that nobody is called by, unless a value became a call.
    private const string Stranger = "666666";

    // What a value in a new call may be: all but line breaks, NUL, what is expanded, braces without their partner, and blanks at its ends.
    private static readonly string[] Values =
    [
        "word", "word-inline", "escaped-inline", "comma", "pipe", "split", "bracket-end", "expand-escaped", "lines-escaped", "set-execute", "set-api", "quote-set", "escaped-quote-set",
        "backslashes-set", "delimiter-set", "backslash", "quote", "amp", "paren-amp", "sip-escaped", "loopback-app", "path-up", "path-root", "path-pipe", "room", "words", "tab", "control", "long",
        "empty", "array", "loopback-log", "loopback-inline", "undef", "option",
    ];

    private static readonly string[] Applications = ["system", "bgsystem", "inline", "log"];
    private static readonly string[] Commands = ["system", "bg_system", "spawn", "bg_spawn", "spawn_stream"];
    private static readonly string[] Variables = ["\"variable_execute_on_answer\"", "\"variable_api_on_answer\"", "\"variable_api_hangup_hook\"", "\"variable_sip_h_X-Evil\"", "\"variable_ifbus_forged\""];

    /// <summary>A file that is made if a value runs a command.</summary>
    protected string Marker { get; } = Path.Combine(Path.GetTempPath(), "ifbus-" + Guid.NewGuid().ToString("N"));

    /// <summary>Shell commands that have reached the server.</summary>
    protected abstract bool ShellRan { get; }

    // By name, for the table below.
    private (string Name, string Value)[] Holes =>
    [
        ("word", $"1000 &system(touch {Marker})"),
        ("word-inline", $"1000 'system:touch {Marker}' inline"),
        ("escaped-inline", $"1000 system:touch\\s{Marker} inline"),
        ("comma", $"1000,sofia/gateway/answer/{Stranger}"),
        ("pipe", $"1000|sofia/gateway/answer/{Stranger}"),
        ("split", $"1000:_:sofia/gateway/answer/{Stranger}"),
        ("brace-end", $"a}}sofia/gateway/answer/{Stranger}"),
        ("bracket-end", $"a]sofia/gateway/answer/{Stranger}"),
        ("brace", "{a"),
        ("expand", "${system(touch " + Marker + ")}"),
        ("expand-global", "$${system(touch " + Marker + ")}"),
        ("expand-escaped", "$\\{system(touch " + Marker + ")}"),
        ("lines", $"1000\n\nbgapi system touch {Marker}\n\n"),
        ("lines-crlf", $"1000\r\n\r\nbgapi originate sofia/gateway/answer/{Stranger} &park()\r\n\r\n"),
        ("lines-escaped", $"1000\\n\\nbgapi system touch {Marker}"),
        ("line-header", "1000\nJob-UUID: x"),
        ("set-execute", $"x,execute_on_answer=system touch {Marker}"),
        ("set-api", $"x,api_on_answer=system touch {Marker}"),
        ("quote-set", $"x',api_on_answer='system touch {Marker}"),
        ("escaped-quote-set", $"x\\',api_on_answer=system touch {Marker}"),
        ("backslashes-set", $"x\\\\,api_on_answer=system touch {Marker}"),
        ("delimiter-set", $"^^:api_on_answer=system touch {Marker}"),
        ("backslash", "x\\"),
        ("quote", "'"),
        ("amp", $"a&system(touch {Marker})"),
        ("paren-amp", $"a)&system(touch {Marker})"),
        ("sip-escaped", "a\\nX-Evil: 1"),
        ("sip-line", "a\nX-Evil: 1"),
        ("loopback-app", $"loopback/app=system:touch {Marker}"),
        ("path-up", $"../../{Marker}.wav"),
        ("path-root", $"/{Marker}.wav"),
        ("path-pipe", $"{Marker}|touch.wav"),
        ("room", $"r@default kick all; system touch {Marker}"),
        ("words", "all kick all"),
        ("nul", "\0"),
        ("lead", " lead"),
        ("trail", "trail "),
        ("tab", "a\tb"),
        ("control", "a\u0001b"),
        ("long", new string('x', 5000)),
        ("empty", ""),
        ("array", "ARRAY::a|:b"),
        ("loopback-log", "loopback/app=log:x"),
        ("loopback-inline", "loopback/set:ifbus_forged=1/default/inline"),
        // The server's word for none, which makes it abort where an extension is wanted, and an option of uuid_transfer.
        ("undef", "UNDEF"),
        ("option", "-both"),
    ];

    [FreeSwitchTheory]
    [InlineData("New-SipCall -From $v -To 1000 -Wait", "undef option")]
    [InlineData("New-SipCall -From 5, $v -To 1000 -Wait", "undef option")]
    [InlineData("New-SipCall -From 5 -To $v -Wait", "")]
    [InlineData("New-SipCall -From 5 -To sofia/gateway/answer/1, $v -Wait", "undef option")]
    [InlineData("New-SipCall -From 5 -To 1000 -Context $v -Wait", "empty option")]
    [InlineData("New-SipCall -To $v -Application park -Wait", "undef option")]
    [InlineData("New-SipCall -To 5 -Application $v -Wait", "")]
    [InlineData("New-SipCall -To 5 -Application park -ApplicationData $v -Wait", "values")]
    [InlineData("New-SipCall -To 5 -Application set -ApplicationData \"x=$v\" -Wait", "values lead")]
    [InlineData("New-SipCall -To 5 -Play $v -Wait", "values -path-up -empty")]
    [InlineData("New-SipCall -To 5 -Application park -CallerId $v -Wait", "empty undef option")]
    [InlineData("New-SipCall -To 5 -Application park -CallerId \"$v <1001>\" -Wait", "values -escaped-inline -expand-escaped -lines-escaped -escaped-quote-set -backslashes-set -backslash -sip-escaped -tab -control -long lead trail")]
    [InlineData("New-SipCall -To 5 -Application park -CallerId \"x <$v>\" -Wait", "empty undef option")]
    [InlineData("New-SipCall -To 5 -Application park -Variable @{ free = $v } -Wait", "values")]
    [InlineData("New-SipCall -To 5 -Application park -Variable @{ sip_h_Subject = $v } -Wait", "values")]
    [InlineData("New-SipCall -To 5 -Application park -Variable @{ $v = '1' } -Wait", "undef")]
    [InlineData("$call | Move-SipCall -To $v -Timeout 1", "")]
    [InlineData("$call | Move-SipCall -To $v -Attended -Timeout 1", "undef option")]
    [InlineData("$call | Move-SipCall -To 1000 -Context $v", "empty")]
    [InlineData("$call | Start-SipRecording -Path $v", "")]
    [InlineData("$call | Start-SipRecording -Path \"$v.wav\"", "undef")]
    [InlineData("$call | Join-SipConference $v", "undef")]
    [InlineData("$call | Set-SipCallVariable free $v", "values brace-end brace expand expand-global")]
    [InlineData("$call | Set-SipCallVariable $v 1", "undef")]
    [InlineData("$call | Get-SipCallVariable $v", "undef")]
    [InlineData("$call | Send-SipDtmf $v", "")]
    public void Nothing_becomes_more_than_a_value(string script, string taken)
    {
        SipCall call = Call(TwoPhones);
        AssertAnswered(call);
        using var watcher = new FreeSwitchWatcher(Server);
        var values = new List<string>();
        foreach ((string name, string hole) in Holes)
        {
            // It may be a context's name; nobody has one of that name, and a call that is moved there is over.
            if (name == "option" && script.Contains("Move-SipCall -To 1000 -Context", StringComparison.Ordinal)) continue;
            (Collection<PSObject> output, IReadOnlyList<ErrorRecord> errors) = Module.Try("param($call, $v) " + script, call, hole);
            // Taken as a value, or refused before anything was sent; the server itself refused nothing.
            Assert.All(errors, e => Assert.True(e.FullyQualifiedErrorId.StartsWith("SipInvalid", StringComparison.Ordinal) || e.FullyQualifiedErrorId.StartsWith("ParameterArgumentValidationError", StringComparison.Ordinal), $"{name}: {e.FullyQualifiedErrorId} {e}"));
            if (errors.Count == 0) values.Add(name);
            // A consultation is given up again.
            if (errors.Count == 0 && script.Contains("-Attended", StringComparison.Ordinal)) Module.Run("param($c) $c | Move-SipCall -Cancel", call);
            foreach (SipCall made in output.Select(o => o.BaseObject).OfType<SipCall>().Where(c => c.CallId != call.CallId && !c.IsEnded))
            {
                // It may be ending by itself: its application is over.
                Module.Try("param($c) $c | Stop-SipCall", made);
                WaitForEnd(made);
            }

            Assert.Equal(call.CallId, Assert.Single(Ours()).CallId);
        }

        // A move that was taken is done: then the extension has taken the place of a party.
        Assert.Equal((CallState.Connected, script.Contains("-Context", StringComparison.Ordinal) && values.Count > 0 && script.StartsWith("$call", StringComparison.Ordinal) ? 1 : 2), (Now(call).State, Up(Now(call))));
        Stop(call);
        Assert.Empty(Findings(watcher.All()));
        Assert.False(ShellRan, "a value ran a command");
        string[] expected = Expected(taken);
        Assert.True(expected.ToHashSet().SetEquals(values), $"taken although they should not: {string.Join(' ', values.Except(expected))}; refused: {string.Join(' ', expected.Except(values))}");
    }

    [FreeSwitchFact]
    public void What_is_looked_for_is_seen_when_it_happens()
    {
        using var watcher = new FreeSwitchWatcher(Server);
        watcher.Say($"bgapi originate null/1 &system(touch\\s{Marker})");
        watcher.Say("bgapi system true");
        watcher.Say("bgapi originate {execute_on_answer=hangup}null/1 &park()");
        watcher.Say($"bgapi originate sofia/gateway/answer/{Stranger} &hangup()");
        string[] wanted = ["application system", "command system", Variables[0], "a stranger was called"];
        Eventually(() => Findings(watcher.All()) is var found && Array.TrueForAll(wanted, found.Contains), string.Join(", ", wanted));
        Eventually(() => ShellRan, "the shell command that was asked for in earnest");
    }

    [FreeSwitchTheory]
    [InlineData("it's")]
    [InlineData("a,b=c;d|e")]
    [InlineData("back\\slash\\n \\s end\\")]
    [InlineData("{x} [y] <z> \"q\" ^^:_: % $ & ) (")]
    [InlineData("caf\u00e9 \u6f22 \U0001f600")]
    [InlineData("a\\nX-Evil: 1")]
    [InlineData("Bob,execute_on_answer=system touch")]
    public void What_is_taken_arrives_byte_for_byte(string value)
    {
        using var watcher = new FreeSwitchWatcher(Server);
        // As a variable, and as what an application is given, as what is played.
        SipCall call = Module.Run<SipCall>("param($v) New-SipCall -To 5 -Application log -ApplicationData $v -Variable @{ free = $v } -Wait", value);
        SipCall played = Module.Run<SipCall>("param($v) New-SipCall -To 5 -Play $v -Wait", value);
        WaitForEnd(call);
        WaitForEnd(played);
        List<JsonElement> events = watcher.All();
        Assert.Equal(value, FreeSwitchWatcher.Text(Event(call, "CHANNEL_HANGUP_COMPLETE"), "variable_free"));
        Assert.Equal(("log", value), (FreeSwitchWatcher.Text(Event(call, "CHANNEL_EXECUTE"), "Application"), FreeSwitchWatcher.Text(Event(call, "CHANNEL_EXECUTE"), "Application-Data")));
        Assert.Equal(("playback", value), (FreeSwitchWatcher.Text(Event(played, "CHANNEL_EXECUTE"), "Application"), FreeSwitchWatcher.Text(Event(played, "CHANNEL_EXECUTE"), "Application-Data")));

        JsonElement Event(SipCall of, string name) => events.Single(e => FreeSwitchWatcher.Text(e, "Unique-ID") == of.CallId && FreeSwitchWatcher.Text(e, "Event-Name") == name);
    }

    [FreeSwitchTheory]
    [InlineData("O'Neil, Ann")]
    [InlineData("a=b;c|d")]
    [InlineData("{x} [y] ^^:_: % $ & ) (")]
    [InlineData("caf\u00e9 \u6f22 \U0001f600")]
    [InlineData("Bob,execute_on_answer=system touch")]
    public void A_callers_name_arrives_byte_for_byte(string name)
    {
        using var watcher = new FreeSwitchWatcher(Server);
        SipCall call = Module.Run<SipCall>("param($v) New-SipCall -To 5 -Application info -CallerId \"$v <1001>\" -Wait", name);
        WaitForEnd(call);
        JsonElement ended = watcher.All().Single(e => FreeSwitchWatcher.Text(e, "Unique-ID") == call.CallId && FreeSwitchWatcher.Text(e, "Event-Name") == "CHANNEL_HANGUP_COMPLETE");
        Assert.Equal((name, "1001"), (FreeSwitchWatcher.Text(ended, "variable_origination_caller_id_name"), FreeSwitchWatcher.Text(ended, "variable_origination_caller_id_number")));
        Assert.Empty(Findings(watcher.All()));
    }

    // Names of holes; "values" stands for the usual ones, a dash before a name for all of them but this.
    private static string[] Expected(string taken)
    {
        var names = new HashSet<string>();
        foreach (string word in taken.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (word == "values") names.UnionWith(Values);
            else if (word[0] == '-') names.Remove(word[1..]);
            else names.Add(word);
        }

        return [.. names];
    }

    // What no value of the tests above may bring about.
    private static List<string> Findings(IEnumerable<JsonElement> events)
    {
        var found = new List<string>();
        foreach (JsonElement e in events)
        {
            string application = FreeSwitchWatcher.Text(e, "Application"), about = e.GetRawText();
            if (Applications.Contains(application, StringComparer.OrdinalIgnoreCase)) found.Add("application " + application);
            foreach (string field in new[] { "API-Command", "Job-Command" })
            {
                if (Commands.Contains(FreeSwitchWatcher.Text(e, field), StringComparer.OrdinalIgnoreCase)) found.Add("command " + FreeSwitchWatcher.Text(e, field));
            }

            if (FreeSwitchWatcher.Text(e, "Caller-Destination-Number").Contains(Stranger, StringComparison.Ordinal) || FreeSwitchWatcher.Text(e, "Channel-Name").Contains(Stranger, StringComparison.Ordinal)) found.Add("a stranger was called");
            found.AddRange(Variables.Where(v => about.Contains(v, StringComparison.Ordinal)));
        }

        return found;
    }
}
