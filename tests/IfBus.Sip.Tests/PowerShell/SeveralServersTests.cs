using System.Management.Automation;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>Several servers: which one gets a call, and that none gets one that another may have placed.</summary>
public sealed class SeveralServersTests : IDisposable
{
    private const string Rows = "$rows = foreach ($i in $args[0]) { [pscustomobject]@{ From = '1001'; To = \"2$i\"; Variable = @{ ROW = \"$i\" } } }; ";

    private readonly ModuleRunspace _module = new();
    private readonly List<IDisposable> _peers = [];
    private readonly Dictionary<string, (ServerSimulator Simulator, CountingRelay Wire)> _servers = [];

    public void Dispose()
    {
        _module.Dispose();
        _peers.ForEach(p => p.Dispose());
    }

    [Fact]
    public async Task A_campaign_outlives_a_server()
    {
        Add("a", SipServerType.Asterisk);
        Add("f", SipServerType.FreeSwitch);
        Add("y", SipServerType.Yate);
        int[] all = Range(1, 1000);
        Task stopper = Task.Run(async () =>
        {
            await Until.TrueAsync(() => _servers["f"].Wire.Rows.Count >= 80);
            _servers["f"].Simulator.Dispose();
        });
        (ICollection<PSObject> output, IReadOnlyList<ErrorRecord> errors) = _module.Try(Rows + "$rows | New-SipCall -Server a, f, y -Selection RoundRobin", all);
        await stopper;

        SipCall[] calls = [.. output.Select(o => (SipCall)o.BaseObject)];
        Assert.Equal(1000, calls.Length + errors.Count);
        // No row was asked for twice, on whatever server.
        List<int> asked = [.. _servers.Values.SelectMany(s => s.Wire.Rows)];
        Assert.Equal(asked.Count, asked.Distinct().Count());
        // What came out is what was asked for, and on the server that it names.
        foreach (SipCall call in calls) Assert.Contains(int.Parse(call.To![1..], System.Globalization.CultureInfo.InvariantCulture), _servers[call.Server].Wire.Rows);
        Assert.Equal(calls.Length, calls.Select(c => c.To).Distinct().Count());
        // Only what the stopped one was being asked for is unknown; nothing else failed.
        foreach (ErrorRecord error in errors)
        {
            Assert.True(error.Exception is SipConnectionException { OutcomeUnknown: true, NothingDone: false, Server: "f" }, error.ToString());
            var request = (SipCallRequest)error.TargetObject;
            Assert.DoesNotContain(int.Parse(request.To![1..], System.Globalization.CultureInfo.InvariantCulture), _servers["a"].Wire.Rows.Concat(_servers["y"].Wire.Rows));
        }

        Assert.All(all, row => Assert.True(asked.Contains(row) || errors.Any(e => ((SipCallRequest)e.TargetObject).To == $"2{row}"), $"row {row} was lost"));
        Assert.True(_servers["a"].Wire.Rows.Count > 300 && _servers["y"].Wire.Rows.Count > 300, "the others did the rest");
    }

    [Fact]
    public void A_server_that_may_have_placed_the_call_is_the_last_that_is_asked()
    {
        int originates = 0;
        var peer = ScriptedPeer.LogsIn((stream, name, id) =>
        {
            if (name == "Originate") Interlocked.Increment(ref originates);
            return Task.FromResult(false);
        });
        _peers.Add(peer);
        Connect("broken", SipServerType.Asterisk, peer.Port, "u", "s", "ReconnectAttempts = 0");
        Add("good", SipServerType.FreeSwitch);
        ErrorRecord error = _module.Fails("SipConnectionLost", Rows + "$rows | New-SipCall -Server broken, good", Range(1, 1));
        Assert.True(error.Exception is SipConnectionException { OutcomeUnknown: true, NothingDone: false, Server: "broken" });
        Assert.Contains("whether it was carried out is unknown", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal(1, originates);
        Assert.Empty(_servers["good"].Wire.Rows);
        // Next time it is not connected, and the other one is taken.
        Assert.Equal("good", Assert.Single(Calls("-Server broken, good", 2)).Server);
        Assert.Equal(1, originates);
    }

    [Fact]
    public void An_unanswered_call_is_not_tried_elsewhere_and_three_of_them_open_the_circuit()
    {
        Add("slow", SipServerType.Asterisk, "RequestTimeout = 1; CircuitCoolDown = 3600");
        Add("good", SipServerType.Asterisk);
        _servers["slow"].Simulator.Faults.Stall = true;
        (_, IReadOnlyList<ErrorRecord> errors) = _module.Try(Rows + "$rows | New-SipCall -Server slow, good", Range(1, 3));
        Assert.Equal(3, errors.Count);
        Assert.All(errors, e => Assert.True(e.Exception is SipTimeoutException { OutcomeUnknown: true, Server: "slow" }));
        Assert.Equal(3, _servers["slow"].Wire.Rows.Count);
        Assert.Empty(_servers["good"].Wire.Rows);
        Assert.Equal(CircuitState.Open, Server("slow").Circuit);

        Assert.Equal(["good", "good"], Calls("-Server slow, good", 4, 5).Select(c => c.Server));
        Assert.Equal(3, _servers["slow"].Wire.Rows.Count);
        // The one that is named alone is tried in any case.
        _servers["slow"].Simulator.Faults.Stall = false;
        Assert.Equal("slow", Assert.Single(Calls("-Server slow", 6)).Server);
        Assert.Equal(CircuitState.Closed, Server("slow").Circuit);
    }

    [Fact]
    public async Task After_the_cool_down_one_call_tries_it()
    {
        Add("slow", SipServerType.Asterisk, "RequestTimeout = 1; CircuitCoolDown = 0.2");
        Add("good", SipServerType.Asterisk);
        _servers["slow"].Simulator.Faults.Stall = true;
        _module.Try(Rows + "$rows | New-SipCall -Server slow", Range(1, 3));
        await Until.TrueAsync(() => Server("slow").Circuit == CircuitState.HalfOpen);
        // Of ten at once one goes there, is not answered, and is not tried elsewhere.
        (ICollection<PSObject> output, IReadOnlyList<ErrorRecord> errors) = _module.Try(Rows + "$rows | New-SipCall -Server slow, good", Range(10, 10));
        Assert.IsType<SipTimeoutException>(Assert.Single(errors).Exception);
        Assert.Equal(9, output.Count);
        Assert.Equal(4, _servers["slow"].Wire.Rows.Count);
        _servers["slow"].Simulator.Faults.Stall = false;
        await Until.TrueAsync(() => Server("slow").Circuit == CircuitState.HalfOpen);
        Assert.Equal("slow", Assert.Single(Calls("-Server slow, good", 30)).Server);
        Assert.Equal(CircuitState.Closed, Server("slow").Circuit);
    }

    [Fact]
    public void Each_in_its_turn()
    {
        Add("a", SipServerType.Asterisk);
        Add("b", SipServerType.Asterisk);
        Add("c", SipServerType.Asterisk);
        Assert.Equal(["a", "b", "c", "a", "b"], InOrder(Calls("-Server a, b, c -Selection RoundRobin", 1, 2, 3, 4, 5)));
        // It goes on where the last one left off, and other names have their own turn.
        Assert.Equal(["c", "a"], InOrder(Calls("-Server a, b, c -Selection RoundRobin", 6, 7)));
        Assert.Equal(["a", "b"], InOrder(Calls("-Server a, b -Selection RoundRobin", 8, 9)));
        _module.Run("New-SipCall 1001 1002 -Server a, b, c -Selection RoundRobin -WhatIf");
        Assert.Equal(["b"], InOrder(Calls("-Server (Get-SipServer a, b, c) -Selection RoundRobin", 10)));
    }

    [Fact]
    public void The_one_with_the_fewest_calls()
    {
        Add("a", SipServerType.Asterisk);
        Add("f", SipServerType.FreeSwitch);
        Add("b", SipServerType.Asterisk);
        Calls("-Server a", 1, 2, 3);
        Calls("-Server b", 4);
        Calls("-Server a, f, b -Selection LeastCalls", Range(10, 8));
        Assert.Equal((4, 4, 4), (Server("a").ActiveCalls, Server("f").ActiveCalls, Server("b").ActiveCalls));
        // With limits the smallest part of them.
        _module.Run("Set-SipServer -Server a -MaxCalls 100; Set-SipServer -Server f -MaxCalls 10; Set-SipServer -Server b -MaxCalls 10");
        Calls("-Server f, b, a -Selection LeastCalls", Range(30, 20));
        Assert.Equal((24, 4, 4), (Server("a").ActiveCalls, Server("f").ActiveCalls, Server("b").ActiveCalls));
    }

    [Fact]
    public void The_fastest()
    {
        Add("slow", SipServerType.Asterisk);
        Add("fast", SipServerType.Asterisk);
        _servers["slow"].Simulator.Faults.Delay = TimeSpan.FromMilliseconds(300);
        // Neither has answered anything: both are measured.
        Assert.All(Calls("-Server slow, fast -Selection LowestLatency", 1, 2), c => Assert.Equal("fast", c.Server));
        Assert.True(Server("slow").AverageLatency > Server("fast").AverageLatency);
    }

    [Fact]
    public void Who_would_make_it_wait_comes_after_the_others()
    {
        Add("a", SipServerType.Asterisk, "MaxCalls = 2");
        Add("b", SipServerType.FreeSwitch, "MaxCalls = 3");
        Assert.Equal(["a", "a", "b", "b", "b"], InOrder(Calls("-Server a, b", 1, 2, 3, 4, 5)));
        Assert.True(Server("a").AtLimit && Server("b").AtLimit);
    }

    [Fact]
    public void Several_kinds_and_a_value_that_one_of_them_does_not_take()
    {
        Add("a", SipServerType.Asterisk);
        Add("a2", SipServerType.Asterisk);
        Add("f", SipServerType.FreeSwitch);
        // Only FreeSWITCH knows that way to play.
        SipCall call = _module.Run<SipCall>("New-SipCall -To 1001 -Play 'tone_stream://%(1000,0,440)' -Server a, a2, f -WarningVariable w -WarningAction SilentlyContinue");
        Assert.Equal("f", call.Server);
        // What nobody takes is the caller's error, and the same kind is not asked twice.
        ErrorRecord error = _module.Fails("SipInvalidArgument", "New-SipCall -From 1001 -To 1002 -CallerId 'a<b' -Server a, a2");
        Assert.Equal("a", ((SipException)error.Exception).Server);
        Assert.Equal(ErrorCategory.InvalidArgument, error.CategoryInfo.Category);
    }

    [Fact]
    public void A_server_that_cannot_make_calls_is_passed_over()
    {
        _module.Run("Start-SipSimulator Flexisip | Connect-SipServer -Name flexi | Out-Null");
        Add("a", SipServerType.Asterisk);
        Assert.Equal("a", Assert.Single(Calls("-Server flexi, a -WarningAction SilentlyContinue", 1)).Server);
        ErrorRecord error = _module.Fails("SipCallNotPlaced", "New-SipCall 1001 1002 -Server flexi, a -Timeout 0.0001 -WarningAction SilentlyContinue");
        Assert.Contains("flexi:", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("a:", error.Exception.Message, StringComparison.Ordinal);
        Assert.True(((SipException)error.Exception).NothingDone);
    }

    [Fact]
    public void A_refusal_by_the_server_is_tried_elsewhere()
    {
        var peer = ScriptedPeer.LogsIn(async (stream, name, id) =>
        {
            await ScriptedPeer.SayAsync(stream, $"Response: Error\r\nActionID: {id}\r\nMessage: Permission denied\r\n\r\n");
            return true;
        });
        _peers.Add(peer);
        Connect("no", SipServerType.Asterisk, peer.Port, "u", "s", "");
        Add("yes", SipServerType.FreeSwitch);
        (ICollection<PSObject> output, _) = _module.Try(Rows + "$rows | New-SipCall -Server no, yes -WarningVariable said -WarningAction SilentlyContinue; \"$said\"", Range(1, 1));
        Assert.Equal("yes", ((SipCall)output.First().BaseObject).Server);
        Assert.Contains("no has not taken the call, and yes is tried", (string)output.Last().BaseObject, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_that_cannot_be()
    {
        Add("a", SipServerType.Asterisk);
        _module.Fails("SipServerNotConnected", "New-SipCall 1001 1002 -Server a, b");
        _module.Fails("SipInvalidArgument", "New-SipCall 1001 1002 -Selection RoundRobin");
        Assert.Empty(_servers["a"].Wire.Rows);
        // One name, and the same twice, is one server.
        Assert.Equal("a", Assert.Single(Calls("-Server a, A -Selection LeastCalls", 1)).Server);
    }

    [Fact]
    public void A_table_of_calls_names_a_server_and_a_relationship_in_a_column()
    {
        Add("a", SipServerType.Asterisk);
        Add("b", SipServerType.Asterisk);
        string[] servers = [.. _module.Run("""
            Set-SipServer -Default b
            [pscustomobject]@{ From = '1001'; To = '21'; Server = 'a'; Relationship = 'ParentChild' },
            [pscustomobject]@{ From = '1001'; To = '22'; Server = ''; Relationship = '' },
            [pscustomobject]@{ From = '1001'; To = '23'; Server = 'b' } | New-SipCall
            """).Select(o => (SipCall)o.BaseObject).OrderBy(c => c.To).Select(c => c.Server)];
        Assert.Equal(["a", "b", "b"], servers);
    }

    [Fact]
    public void Limits_are_set_shown_and_taken_away()
    {
        Add("a", SipServerType.Asterisk, "MaxCalls = 3; MaxCallsPerSecond = 2.5");
        Assert.True(Server("a") is { MaxCalls: 3, MaxCallsPerSecond: 2.5, WaitingCalls: 0, AtLimit: false, Circuit: CircuitState.Closed });
        SipServer changed = _module.Run<SipServer>("Get-SipServer a | Set-SipServer -MaxCalls 0 -PassThru");
        Assert.True(changed is { MaxCalls: null, MaxCallsPerSecond: 2.5 });
        Assert.True(_module.Run<SipServer>("Set-SipServer -Name a -MaxCallsPerSecond $null -PassThru") is { MaxCalls: null, MaxCallsPerSecond: null });
        _module.Fails("SipInvalidArgument", "Set-SipServer -Server a -MaxCalls -1");
        _module.Fails("SipConfigurationInvalid", "Connect-SipServer h -Credential $args[0] -MaxCalls 0", Credentials.Of("u", "s"));
        _module.Run("Set-SipServer a -PassThru");
        Assert.True(Server("a").IsDefault);
    }

    [Fact]
    public void All_are_asked_at_once_and_one_that_is_silent_costs_one_error()
    {
        Add("silent", SipServerType.Asterisk, "RequestTimeout = 2");
        Add("dead", SipServerType.FreeSwitch, "ReconnectAttempts = 0");
        Add("a", SipServerType.Asterisk);
        Add("f", SipServerType.FreeSwitch);
        Calls("-Server a", 1);
        Calls("-Server f", 2);
        _servers["dead"].Simulator.Dispose();
        _servers["silent"].Simulator.Faults.Stall = true;
        foreach (string cmdlet in new[] { "Get-SipCallStatus", "Get-SipGateway" })
        {
            (ICollection<PSObject> output, IReadOnlyList<ErrorRecord> errors) = _module.Try(cmdlet);
            Assert.Equal(["a", "f"], output.Select(o => (string)o.Properties["Server"].Value).Distinct().Order());
            Assert.Equal(["dead", "silent"], errors.Select(e => (string)e.TargetObject).Order());
        }

        // The rows of the others do not wait for the silent one: the pipeline has them while it is still being asked.
        Assert.Equal(2, _module.Run<int>("$n = 0; foreach ($once in 1) { Get-SipCallStatus -ErrorAction SilentlyContinue | ForEach-Object { $n++; if ($n -eq 2) { break } } }; $n"));
        (ICollection<PSObject> tested, IReadOnlyList<ErrorRecord> none) = _module.Try("Get-SipServer | Test-SipServer");
        Assert.Empty(none);
        Assert.Equal(4, tested.Count);
        var healths = tested.Select(o => (SipServerHealth)o.BaseObject).ToList();
        Assert.Equal(["dead", "silent"], healths.Where(h => h.Health == HealthState.Critical).Select(h => h.Server).Order());
        // It was the last to be known, though the first to be asked.
        Assert.Equal("silent", healths[^1].Server);
    }

    private static int[] Range(int first, int count) => [.. Enumerable.Range(first, count)];

    private static List<string> InOrder(IEnumerable<SipCall> calls) => [.. calls.OrderBy(c => int.Parse(c.To![1..], System.Globalization.CultureInfo.InvariantCulture)).Select(c => c.Server)];

    private SipCall[] Calls(string arguments, params int[] rows) => [.. _module.Run(Rows + $"$rows | New-SipCall {arguments}", rows).Select(o => (SipCall)o.BaseObject)];

    private SipServer Server(string name) => _module.Run<SipServer>("Get-SipServer $args[0]", name);

    private void Add(string name, SipServerType type, string settings = "")
    {
        ServerSimulator simulator = type switch
        {
            SipServerType.FreeSwitch => FreeSwitchSimulator.Start(),
            SipServerType.Yate => YateSimulator.Start(),
            _ => AsteriskSimulator.Start(),
        };
        var wire = new CountingRelay(simulator.Port);
        _servers[name] = (simulator, wire);
        _peers.AddRange([wire, simulator]);
        Connect(name, type, wire.Port, simulator.User, simulator.Secret, settings);
    }

    private void Connect(string name, SipServerType type, int port, string user, string secret, string settings) => _module.Run(
        $"param($n, $t, $p, $c) $s = @{{ {settings} }}; $s.Host = '127.0.0.1'; $s.Name = $n; $s.Type = $t; $s.Port = $p; if ($c) {{ $s.Credential = $c }}; Connect-SipServer -Configuration $s | Out-Null",
        name, type, port, type == SipServerType.Yate ? null : Credentials.Of(user, secret));
}
