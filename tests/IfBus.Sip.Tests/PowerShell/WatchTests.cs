using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>Watch-SipEvent, each time begun before that which it is to see.</summary>
public sealed class WatchTests : IDisposable
{
    private readonly ModuleRunspace _module = new();

    public void Dispose() => _module.Dispose();

    [Fact]
    public void So_many_events_from_the_first_on()
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a");
        // A server that is piped in is heard from then on.
        SipEvent[] events = [.. _module.Run("& { Get-SipServer a; $null = New-SipCall -From 1001 -To 1002 -Wait } | Watch-SipEvent CallStateChanged -Count 2 -Timeout 60").Select(e => (SipEvent)e.BaseObject)];
        Assert.Equal(2, events.Length);
        Assert.Equal(CallState.Created, events[0].PreviousState);
        Assert.Equal(events[0].Call!.State, events[1].PreviousState);
        Assert.Single(_module.Run("Get-SipCallStatus"), c => ((SipCall)c.BaseObject).CallId == events[0].CallId);
    }

    // Without an end these tests would never end; the time-out only makes them fail.
    [Theory]
    [InlineData("")]
    [InlineData("CallDtmf")]
    public async Task Events_of_a_call_end_with_it_and_come_from_where_it_lives(string type)
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a; Start-SipSimulator Asterisk | Connect-SipServer -Name b; Set-SipServer -Default a");
        SipServer server = _module.Run<SipServer>("Get-SipServer b");
        SipCall call = _module.Run<SipCall>("New-SipCall -From 1001 -To 1002 -Server b -Wait");
        _module.Run("New-SipCall -From ring -To 1002 -Server b");
        using var heard = new ManualResetEventSlim();
        long begin = Environment.TickCount64;
        Task<Collection<PSObject>> watching = Task.Run(() => _module.Run($"param($c, $heard) Watch-SipEvent {type} -CallId $c.Uri -Timeout 60 | ForEach-Object {{ $heard.Set(); $_ }}", call, heard));
        using var other = new ModuleRunspace();
        // Digits until one is heard: from then on it listens, and cannot miss the end.
        while (!heard.IsSet && !watching.IsCompleted) other.Run("param($s, $c) Send-SipDtmf 1 -Server $s -CallId $c.CallId", server, call);
        other.Run("param($s, $c) Stop-SipCall -Server $s -CallId $c.CallId", server, call);
        SipEvent[] events = [.. (await watching).Select(e => (SipEvent)e.BaseObject)];
        Assert.InRange(Environment.TickCount64 - begin, 0, 50_000);
        Assert.All(events, e => Assert.Equal((call.CallId, "b"), (e.CallId, e.Server)));
        Assert.Equal(SipEventTypes.CallDtmf, events[0].Type);
        if (type.Length > 0) Assert.All(events, e => Assert.Equal(SipEventTypes.CallDtmf, e.Type));
        else Assert.Equal((SipEventTypes.CallStateChanged, CallState.Terminated), (events[^1].Type, events[^1].Call?.State));
    }

    [Fact]
    public void What_a_slow_pipeline_misses_is_told_with_a_warning()
    {
        _module.Run("Start-SipSimulator Asterisk -OutVariable s; Connect-SipServer -Configuration @{ Type = 'Asterisk'; Host = '127.0.0.1'; Port = $s.Port; Credential = $s.Credential; Name = 'a'; EventBuffer = 16 }");
        // At its first event the pipeline stands until there were many more than the buffer holds.
        PSObject[] seen = [.. _module.Run("""
            & { Get-SipServer a; $null = New-SipCall -From busy -To 1 -Wait } | Watch-SipEvent CallStateChanged, EventsLost -Count 3 -Timeout 60 3>&1 |
                ForEach-Object { if (-not $stood) { $stood = $true; $null = 1..20 | ForEach-Object { New-SipCall -From busy -To 1 -Wait } }; $_ }
            """)];
        string warning = Assert.IsType<WarningRecord>(Assert.Single(seen, s => s.BaseObject is WarningRecord).BaseObject).Message;
        SipEvent[] events = [.. seen.Select(s => s.BaseObject).OfType<SipEvent>()];
        Assert.Equal([SipEventTypes.CallStateChanged, SipEventTypes.EventsLost, SipEventTypes.CallStateChanged], events.Select(e => e.Type));
        // Two states a call at least.
        Assert.InRange(events[1].LostCount, 20, 200);
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"a: {events[1].LostCount} events were dropped because they were not read in time; read the calls again."), warning);
        Assert.Equal(21, _module.Run("Get-SipCallStatus -State Terminated").Count);
    }
}
