using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>
/// What a user of Yate is promised of calls, through the cmdlets. One suite, the same verdicts, on the simulator and on a
/// real server.
/// </summary>
public abstract class YateContract : YateServerContract
{
    [YateFact]
    public void Answered_then_ended_by_us()
    {
        SipCall call = Call("-To 4001 -Application dumb");
        AssertAnswered(call);
        Assert.Equal("mulaw", call.Codec);
        SipCall ended = Stop(call);
        AssertEnded(ended, HangupCause.NormalClearing, null, null, answered: true);
        Assert.Equal(("4001", (string?)null), (ended.To, ended.From));
        Assert.Equal(["Hungup", "Hungup"], ended.Legs.Select(l => l.State));
        Assert.NotEmpty(ended.Details["BillId"]);
    }

    [YateTheory]
    [InlineData("-To 1001 -Application dumb")]
    [InlineData("-To tone/dial -Application dumb")]
    [InlineData("-To 4001 -Application tone -ApplicationData dial")]
    [InlineData("-To 4001 -Application moh -ApplicationData default")]
    [InlineData("-From 4001 -To 1005")]
    public void Targets_that_answer_at_once_are_connected(string arguments)
    {
        SipCall call = Call(arguments);
        AssertAnswered(call);
        AssertEnded(Stop(call), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateFact]
    public void Far_end_hangs_up_after_early_media()
    {
        SipCall call = Call("-To 4301 -Application dumb");
        AssertAnswered(call);
        SipCall ended = WaitForEnd(call);
        AssertEnded(ended, HangupCause.NormalClearing, 16, null, answered: true);
        Assert.Equal(ended.Legs[1].Id, ended.Details["HungUpBy"]);
    }

    [YateTheory]
    [InlineData("4201", "UserBusy", 486)]
    [InlineData("4401", "CallRejected", 603)]
    [InlineData("4501", "UnallocatedNumber", 404)]
    [InlineData("4601", "NoUserResponding", 480)]
    [InlineData("4701", "TemporaryFailure", 503)]
    public void Refused_by_the_far_end(string number, string cause, int sipStatus)
    {
        AssertEnded(Call($"-From {number} -To 4002"), Enum.Parse<HangupCause>(cause), null, sipStatus, answered: false);
        AssertEnded(Call($"-From 4001 -To {number}"), Enum.Parse<HangupCause>(cause), null, sipStatus, answered: false);
    }

    [YateTheory]
    [InlineData("-From 1004 -To 4002", "UserBusy", "busy")]
    [InlineData("-From 4001 -To 1004", "UserBusy", "busy")]
    [InlineData("-From 5999 -To 4002", "NoRouteToDestination", "the server has no route for 5999, or none that it can call")]
    [InlineData("-From 4001 -To 5999", "NoRouteToDestination", "the server has no route for 5999")]
    [InlineData("-From nosuch/1 -To 4002", "DestinationOutOfOrder", "the server has no such driver, or it cannot call there")]
    public void Refused_by_the_server(string arguments, string cause, string text)
    {
        SipCall call = Call(arguments);
        AssertEnded(call, Enum.Parse<HangupCause>(cause), null, null, answered: false);
        Assert.Equal(text, call.CauseText);
        Assert.DoesNotContain(call.Legs, l => l.Id.StartsWith("sip/", StringComparison.Ordinal));
    }

    [YateFact]
    public void A_destination_that_the_server_cannot_call_ends_the_call()
    {
        SipCall call = Call("-From 4001 -To nosuch/1");
        AssertEnded(call, HangupCause.DestinationOutOfOrder, null, null, answered: false);
        Assert.Contains("nosuch/1", call.CauseText, StringComparison.Ordinal);
    }

    [YateFact]
    public void Rings_until_the_time_out()
    {
        SipCall call = Call("-From 4101 -To 4002 -Timeout 1");
        AssertEnded(call, HangupCause.NoAnswer, null, null, answered: false);
        // The server looks once a second.
        Assert.InRange(call.Duration!.Value.TotalSeconds, 0.9, 6);
    }

    [YateFact]
    public void Stopped_while_ringing()
    {
        SipCall call = Module.Run<SipCall>("New-SipCall -From 4101 -To 4002 | Wait-SipCall -State Ringing -Timeout 10");
        Assert.Equal(CallState.Ringing, call.State);
        AssertEnded(Stop(call), HangupCause.NormalClearing, null, null, answered: false);
    }

    [YateFact]
    public void Stopped_at_once()
    {
        for (int i = 0; i < 5; i++) AssertEnded(Module.Run<SipCall>("New-SipCall -From 4101 -To 4002 | Stop-SipCall -PassThru"), HangupCause.NormalClearing, null, null, answered: false);
    }

    [YateFact]
    public void Stopped_with_a_cause()
    {
        SipCall call = PairOf();
        SipCall ended = Module.Run<SipCall>("param($c) $c | Stop-SipCall -Cause UserBusy -PassThru", call);
        AssertEnded(ended, HangupCause.UserBusy, null, null, answered: true);
        Module.Fails("SipInvalidArgument", "param($c) $c | Stop-SipCall -Cause MisdialledTrunkPrefix", PairOf());
    }

    [YateFact]
    public void Early_media_is_not_connected()
    {
        SipCall call = Module.Run<SipCall>("New-SipCall -From 4801 -To 4002 | Wait-SipCall -State Ringing -Timeout 10");
        Assert.Equal((CallState.Ringing, null), (call.State, call.AnsweredAt));
        AssertAnswered(Module.Run<SipCall>("param($c) $c | Wait-SipCall -State Connected -Timeout 10", call));
        Stop(call);
    }

    [YateFact]
    public void Two_numbers_B_answers()
    {
        SipCall call = PairOf();
        // Our silent leg, and the two phones.
        Assert.Equal(3, call.Legs.Count);
        AssertEnded(Stop(call), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateFact]
    public void Two_numbers_B_rings_is_not_connected()
    {
        SipCall call = Module.Run<SipCall>("New-SipCall -From 4001 -To 4101");
        SipCall ringing = Until(call, c => c.Legs.Count == 3 && c.Legs[1].State == "answered" && c.Legs[2].State == "ringing");
        Assert.Equal((CallState.Ringing, null), (ringing.State, ringing.AnsweredAt));
        AssertEnded(Stop(call), HangupCause.NormalClearing, null, null, answered: false);
    }

    [YateFact]
    public void A_sound_is_played_to_its_end()
    {
        SipCall ended = Module.Run<SipCall>("New-SipCall -To 4001 -Play rec/play.wav -Wait | Wait-SipCall -Timeout 20");
        AssertEnded(ended, HangupCause.NormalClearing, null, null, answered: true);
        Assert.InRange(ended.BillableDuration!.Value.TotalSeconds, 1, 10);
    }

    [YateTheory]
    [InlineData("a:b=c")]
    [InlineData("100% sure%")]
    [InlineData("%%")]
    [InlineData("two\nlines\r\nand\ttab")]
    [InlineData("caf\u00e9 \u6f22 %z %M")]
    [InlineData(" blanks ")]
    public void Values_arrive_as_they_are(string value)
    {
        SipCommandResult result = Module.Run<SipCommandResult>("param($v) Invoke-SipCommand ifbus.echo -Field @{ v = $v }", value);
        Assert.Equal(value, result.Fields["v"]);
        SipCall call = Module.Run<SipCall>("param($v) New-SipCall -To 4001 -Application dumb -Variable @{ myref = $v } -Wait", value);
        AssertAnswered(call);
        Assert.Single(Ours());
        Stop(call);
    }

    [YateTheory]
    [InlineData("New-SipCall -From $v -To 4001", true)]
    [InlineData("New-SipCall -From 4001 -To $v", true)]
    [InlineData("New-SipCall -To $v -Application dumb", true)]
    [InlineData("New-SipCall -From 4001 -To 4002 -Context $v", true)]
    [InlineData("New-SipCall -To 4001 -Application $v", true)]
    [InlineData("New-SipCall -To 4001 -Application tone -ApplicationData $v", true)]
    [InlineData("New-SipCall -To 4001 -Play $v", false)]
    [InlineData("New-SipCall -To 4001 -Application dumb -CallerId \"x <$v>\"", true)]
    [InlineData("New-SipCall -To 4001 -Application dumb -Variable @{ $v = '1' }", true)]
    [InlineData("New-SipCall -To 4001 -Application dumb -Variable @{ osip_Subject = $v }", true)]
    [InlineData("New-SipCall -To 4001 -Application dumb -Variable @{ callto = $v }", true)]
    [InlineData("$call | Move-SipCall -To $v", true)]
    [InlineData("$call | Move-SipCall -To $v -Attended", true)]
    [InlineData("$call | Start-SipRecording -Path $v", false)]
    [InlineData("$call | Join-SipConference $v", true)]
    [InlineData("$call | Send-SipDtmf $v", true)]
    public void Values_that_would_be_something_else_are_refused(string script, bool addressed)
    {
        SipCall call = PairOf();
        string[] values = ["4001\n%%>message:x:0:call.drop::", "4001\r", "4001\0", "../../x.au", "a b", "\"x\"", "1%2", "x:y.au"];
        // An endpoint of the server's own that runs a program, writes a file, or adds a header.
        if (addressed) values = [.. values, "external/nodata/touch", "wave/record/etc.au", "mux/x", "sip/sip:1@127.0.0.1?Replaces=x", "sip/sip:1@127.0.0.1>;tag=x"];
        foreach (string value in values)
        {
            (_, IReadOnlyList<ErrorRecord> errors) = Module.Try("param($call, $v) " + script, call, value);
            Assert.True(errors.Count == 1, $"'{value}' was taken");
            Assert.StartsWith("SipInvalid", errors[0].FullyQualifiedErrorId, StringComparison.Ordinal);
        }

        Assert.Equal(call.CallId, Assert.Single(Ours()).CallId);
        Assert.Equal((CallState.Connected, 2), (Now(call).State, Up(Now(call))));
        Stop(call);
    }

    [YateFact]
    public void Calls_are_not_all_dropped_by_accident()
    {
        SipCall call = PairOf();
        Module.Fails("SipInvalidArgument", "Invoke-SipCommand call.drop");
        Module.Fails("SipInvalidArgument", "Invoke-SipCommand call.drop -Field @{ id = 'sip' }");
        Module.Fails("SipCallNotFound", "Stop-SipCall sip");
        Module.Fails("SipCallNotFound", "Stop-SipCall dumb");
        Assert.Equal(2, Up(Now(call)));
        Stop(call);
    }

    [YateFact]
    public void Detail_record_of_a_call_is_one()
    {
        SipCall call = Stop(Call("-From 4001 -To 4002 -CallerId 'Ann <1001>'"));
        SipCallDetailRecord record = Module.Run<SipCallDetailRecord>("param($c) $c | Get-SipCallDetailRecord", call);
        Assert.Equal((call.CallId, "4001", "4002"), (record.CallId, record.From, record.To));
        Assert.Equal(3, record.Fields.GetAll("chan").Distinct().Count());
        Assert.Equal(call.Legs[^1].Id, record.DestinationChannel);
        Assert.True(record.StartedAt <= record.AnsweredAt && record.AnsweredAt <= record.EndedAt);
        Assert.InRange((call.EndedAt - record.EndedAt)!.Value.TotalSeconds, -2, 2);
        SipCallDetailRecord busy = Module.Run<SipCallDetailRecord>("New-SipCall -From 4201 -To 4001 -Wait | Get-SipCallDetailRecord");
        Assert.Equal((TimeSpan.Zero, (DateTime?)null), (busy.BillableDuration, busy.AnsweredAt));
    }

    [YateFact]
    public void Many_calls_at_once()
    {
        const int Count = 200;
        SipCall[] calls = Calls(Module.Run("param($n) 1..$n | ForEach-Object { [pscustomobject]@{ To = '1001'; Application = 'dumb' } } | New-SipCall -ThrottleLimit $n -Wait", Count));
        Assert.Equal(Count, calls.Select(c => c.CallId).Distinct().Count());
        Assert.All(calls, AssertAnswered);
        Assert.Equal(Count, Ours().Length);
        SipCall[] ended = Calls(Module.Run("param($c) $c | Stop-SipCall -PassThru", new object[] { calls }));
        Assert.Equal(Count, ended.Select(c => c.CallId).Distinct().Count());
        Assert.All(ended, c => AssertEnded(c, HangupCause.NormalClearing, null, null, answered: true));
        Assert.Empty(Ours());
    }

    [YateFact]
    public void Calls_of_others_are_seen_and_followed()
    {
        Module.Run("param($h, $p) Connect-SipServer -ComputerName $h -Type Yate -Port $p -Name other; Set-SipServer -Default contract", Server.Host, Server.Port);
        SipCall theirs = Module.Run<SipCall>("New-SipCall -Server other -From 4001 -To 4002 -Wait");
        string bill = theirs.Details["BillId"];
        SipCall seen = Module.Run<SipCall>("param($id) Get-SipCallStatus -Server contract -CallId $id", bill);
        Assert.Equal((CallState.Connected, bill), (seen.State, seen.CallId));
        Assert.NotNull(seen.AnsweredAt);
        SipCall ended = Module.Run<SipCall>("param($id) Stop-SipCall -Server contract -CallId $id -PassThru", bill);
        Assert.Equal(CallState.Terminated, ended.State);
        Assert.Equal(CallState.Terminated, Module.Run<SipCall>("param($c) $c | Wait-SipCall -Timeout 10", theirs).State);
        // Made before the connection was.
        SipCall before = Module.Run<SipCall>("New-SipCall -Server other -From 4001 -To 4002 -Wait");
        Module.Run("param($h, $p) Connect-SipServer -ComputerName $h -Type Yate -Port $p -Name late", Server.Host, Server.Port);
        SipCall found = Module.Run<SipCall>("param($id) Get-SipCallStatus -Server late -CallId $id", before.Details["BillId"]);
        Assert.Equal((CallState.Connected, 2), (found.State, found.Legs.Count));
        Assert.Null(found.AnsweredAt);
        Module.Run("param($c) $c | Stop-SipCall", before);
        Assert.Equal(CallState.Terminated, Module.Run<SipCall>("param($c) $c | Wait-SipCall -Server late -Timeout 10", found).State);
    }

    [YateFact]
    public void The_server_tells_what_it_knows()
    {
        SipCall call = PairOf();
        SipStatistic statistic = Module.Run<SipStatistic>("Get-SipStatistic");
        Assert.StartsWith("Yate 6.4", statistic.Version, StringComparison.Ordinal);
        Assert.True(statistic.ActiveCalls >= 1 && statistic.ActiveChannels >= 2 && statistic.ProcessedCalls >= 2);
        Assert.NotNull(statistic.StartedAt);
        SipServerHealth health = Module.Run<SipServerHealth>("Test-SipServer");
        Assert.NotEqual(HealthState.Critical, health.Health);
        Assert.True(health.ActiveCalls >= 1);
        Stop(call);
    }

    [YateFact]
    public void Raw_commands()
    {
        SipCommandResult status = Module.Run<SipCommandResult>("Invoke-SipCommand engine.status -Field @{ module = 'engine' }");
        Assert.True(status.Success);
        Assert.StartsWith("name=engine", status.Output[0], StringComparison.Ordinal);
        Assert.False(Module.Run<SipCommandResult>("Invoke-SipCommand chan.locate -Field @{ id = 'sip/999999' }").Success);
        Module.Fails("SipInvalidArgument", "Invoke-SipCommand \"a`nb\"");
        Module.Fails("SipInvalidArgument", "Invoke-SipCommand x -Field @{ 'a=b' = 1 }");
    }

    [YateFact]
    public void A_script_says_where_calls_go()
    {
        Module.Run("$target = 'tone/dial'; Register-SipRoute contract -Number '59*' -ScriptBlock { param($q, $more) switch ($q.Called) { '5901' { $using:target } '5902' { @{ Refuse = 'UserBusy' } } '5903' { $more } '5904' { throw 'no' } '5905' { 'external/nodata/x' } '5906' { Read-Host 'who' } } } -ArgumentList 'moh/default'");
        AssertAnswered(Call("-To 5901 -Application dumb"));
        AssertEnded(Call("-To 5902 -Application dumb"), HangupCause.UserBusy, null, null, answered: false);
        AssertAnswered(Call("-To 5903 -Application dumb"));
        foreach (string number in new[] { "5904", "5905", "5906", "5907" }) AssertEnded(Call($"-To {number} -Application dumb"), HangupCause.NoRouteToDestination, null, null, answered: false);
        SipRoute route = Module.Run<SipRoute>("Get-SipRoute contract");
        // Asked once for each call.
        Assert.True(route is { Active: true, Asked: 7, Routed: 2, Refused: 1, Failed: 3, Passed: 1, Late: 0, Skipped: 0 }, route.ToString());
        Module.Fails("SipInvalidArgument", "Register-SipRoute contract { }");
        Module.Fails("SipInvalidArgument", "Register-SipRoute x { } -Number 'a:b'");
        Module.Fails("SipInvalidArgument", "Register-SipRoute x { } -Timeout 9");
        Assert.False(Module.Run<SipRoute>("Unregister-SipRoute contract -PassThru").Active);
        AssertEnded(Call("-To 5901 -Application dumb"), HangupCause.NoRouteToDestination, null, null, answered: false);
        Assert.Empty(Module.Run("Get-SipRoute"));
    }

    [YateFact]
    public void A_script_that_sleeps_holds_nobody_up()
    {
        Module.Run("Register-SipRoute sleeper -Number '58*' -Timeout 1 { [Threading.Thread]::Sleep(10000) }");
        Module.Run("param($h, $p) Connect-SipServer -ComputerName $h -Type Yate -Port $p -Name other; Set-SipServer -Default contract", Server.Host, Server.Port);
        SipCall[] calls = Calls(Module.Run("1..20 | ForEach-Object { [pscustomobject]@{ To = \"58$_\"; Application = 'dumb' } } | New-SipCall"));
        Assert.True(Module.Run<SipCommandResult>("Invoke-SipCommand engine.status -Server other -Field @{ module = 'engine' }").Success);
        Assert.All(calls, c => AssertEnded(WaitForEnd(c), HangupCause.NoRouteToDestination, null, null, answered: false));
        SipRoute route = Module.Run<SipRoute>("Get-SipRoute sleeper");
        Assert.Equal(0, route.Routed);
        Assert.True(route.Late > 0);
    }
}
