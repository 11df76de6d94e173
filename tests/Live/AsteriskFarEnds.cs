using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests;

/// <summary>What phones and files really get of what is done to a call: not our object is asked, but the far end.</summary>
public sealed class AsteriskFarEnds : IDisposable
{
    private readonly ModuleRunspace _module = new();

    public AsteriskFarEnds()
    {
        if (LiveServer.Missing is null) Connect("ifbus", "ifbus-secret", "live");
    }

    public void Dispose() => _module.Dispose();

    [ServerFact]
    public void The_released_party_gets_a_bye_and_the_kept_one_none()
    {
        using (FarEnd released = FarEnd.Play("answer"))
        {
            SipCall call = _module.Run<SipCall>("New-SipCall -From sipp-answer -To dial-traced -Wait");
            DateTime moving = DateTime.Now;
            _module.Run("param($c) $c | Move-SipCall dial-answer", call);
            released.AssertKeptUntil(moving);
            _module.Run("param($c) $c | Stop-SipCall", call);
        }

        using FarEnd kept = FarEnd.Play("answer");
        SipCall other = _module.Run<SipCall>("New-SipCall -From sipp-answer -To dial-traced -Wait");
        _module.Run("param($c) $c | Move-SipCall dial-answer -Keep To", other);
        DateTime stopping = DateTime.Now;
        _module.Run("param($c) $c | Stop-SipCall", other);
        kept.AssertKeptUntil(stopping);
        Assert.False(kept.Received("REFER"));
    }

    [ServerFact]
    public void A_held_party_keeps_its_call_and_hears_the_server()
    {
        using FarEnd phone = FarEnd.Play("answer");
        SipCall call = _module.Run<SipCall>("New-SipCall -From sipp-answer -To dial-traced -Wait");
        _module.Run("param($c) $c | Suspend-SipCall", call);
        _module.Run("param($c) $c | Resume-SipCall", call);
        DateTime stopping = DateTime.Now;
        _module.Run("param($c) $c | Stop-SipCall", call);
        phone.AssertKeptUntil(stopping);
        // The music came from the server: the phone was not asked to hold anything.
        Assert.DoesNotContain("a=sendonly", string.Join('\n', phone.Parts(received: true)), StringComparison.Ordinal);
    }

    [ServerFact]
    public void A_phone_that_holds_by_itself_shows()
    {
        // sipp-hold sends a re-INVITE with sendonly, and later one with sendrecv.
        SipCall call = _module.Run<SipCall>("New-SipCall -From sipp-answer -To dial-hold -Wait");
        Assert.Equal(CallState.OnHold, _module.Run<SipCall>("param($c) $c | Wait-SipCall -State OnHold -Timeout 15", call).State);
        _module.Fails("SipCallHeldByPhone", "param($c) $c | Resume-SipCall", call);
        Assert.Equal(CallState.Connected, _module.Run<SipCall>("param($c) $c | Wait-SipCall -State Connected -Timeout 15", call).State);
        _module.Run("param($c) $c | Stop-SipCall", call);
    }

    // sipp-traced sends the other party away a second after its answer.
    [ServerTheory]
    [InlineData("-From sipp-answer -To dial-traced")]
    [InlineData("-From sipp-traced -To dial-answer")]
    public void A_phone_that_sends_the_other_elsewhere_shows_as_a_transfer(string call)
    {
        using FarEnd phone = FarEnd.Play("refer", "-key", "to", "601");
        using var watch = new Watch(_module.Run<SipServer>("Get-SipServer live"), "CallStateChanged", () => _module.Run("New-SipCall -To PJSIP/nosuch -Application Wait | Wait-SipCall -Timeout 20"));
        SipCall begun = _module.Run<SipCall>($"New-SipCall {call} -Wait");
        SipEvent[] events = watch.Until(e => e.CallId == begun.CallId, seen => seen.Length > 1 && seen[^1].Call!.State == CallState.Connected && seen.Any(e => e.Call!.State == CallState.Transferring));
        CallState[] states = [.. events.Select(e => e.Call!.State)];
        Assert.Equal([CallState.Connected, CallState.Transferring, CallState.Connected], states[^3..]);
        Assert.Equal(3, states.Count(s => s is CallState.Connected or CallState.Transferring));
        events = events[^2..];
        SipCall moved = events[1].Call!;
        Assert.Equal(("601", 2), (moved.To, moved.Legs.Count(l => l.State == "Up")));
        Assert.Equal(0, phone.WaitForEnd());
        // Its parties are parties like any others.
        Assert.Equal(CallState.OnHold, _module.Run<SipCall>("param($c) $c | Suspend-SipCall -PassThru", begun).State);
        Assert.Equal(CallState.Connected, _module.Run<SipCall>("param($c) $c | Resume-SipCall -PassThru", begun).State);
        Assert.Equal("echo", _module.Run<SipCall>("param($c) $c | Move-SipCall echo -PassThru", begun).To);
        _module.Run("param($c) $c | Stop-SipCall", begun);
    }

    [ServerFact]
    public void When_the_party_to_be_kept_hangs_up_the_other_two_go_on()
    {
        SipCall call = _module.Run<SipCall>("New-SipCall -From sipp-answer -To dial-answer -Wait");
        _module.Run("param($c) $c | Move-SipCall 601 -Attended", call);
        _module.Run("param($l) Invoke-SipCommand Hangup @{ Channel = $l; Cause = '16' } -Confirm:$false", call.Legs[0].Id);
        SipCall rest = _module.Run<SipCall>("param($c) $c | Wait-SipCall -State Connected -Timeout 10", call);
        // Who consulted is who the call is from.
        Assert.Equal((CallState.Connected, "dial-answer", "601"), (rest.State, rest.From, rest.To));
        _module.Fails("SipNoTransfer", "param($c) $c | Move-SipCall -Complete", call);
        Assert.Equal(CallState.OnHold, _module.Run<SipCall>("param($c) $c | Suspend-SipCall -PassThru", call).State);
        Assert.Equal(CallState.Connected, _module.Run<SipCall>("param($c) $c | Resume-SipCall -PassThru", call).State);
        _module.Run("param($c) $c | Stop-SipCall", call);
    }

    [ServerFact]
    public void A_transfer_of_a_phone_that_fails_ends_the_call_with_the_cause()
    {
        using FarEnd phone = FarEnd.Play("refer", "-key", "to", "dial-busy");
        SipCall call = _module.Run<SipCall>("New-SipCall -From sipp-answer -To dial-traced -Wait");
        SipCall ended = _module.Run<SipCall>("param($c) $c | Wait-SipCall -Timeout 15", call);
        Assert.Equal(HangupCause.UserBusy, ended.Cause);
        Assert.Equal(0, phone.WaitForEnd());
    }

    [ServerTheory]
    [InlineData("-From sipp-answer -To dial-traced")]
    [InlineData("-From sipp-traced -To dial-answer")]
    public void Connected_is_when_the_phone_has_answered_not_before(string call)
    {
        using FarEnd phone = FarEnd.Play("answer");
        SipCall answered = _module.Run<SipCall>($"New-SipCall {call} -Wait");
        Assert.Equal((CallState.Connected, 2), (answered.State, answered.Legs.Count));
        Assert.InRange((answered.AnsweredAt!.Value - phone.AnsweredAt).TotalSeconds, 0, 5);
        Assert.Equal(answered.AnsweredAt, _module.Run<SipCall>("param($c) $c | Stop-SipCall -PassThru", answered).AnsweredAt);
        Assert.Equal(0, phone.WaitForEnd());
    }

    [ServerFact]
    public void Digits_arrive_at_the_far_end_in_order()
    {
        using var ear = new Ear();
        using FarEnd phone = FarEnd.Play("digits", "-key", "ear", ear.Port);
        SipCall call = _module.Run<SipCall>("New-SipCall -From sipp-answer -To dial-traced -Wait");
        _module.Run("param($c) $c | Send-SipDtmf '1590*#ABCD'", call);
        Assert.Equal("1590*#ABCD", ear.Digits);
        _module.Run("param($c) $c | Stop-SipCall", call);
    }

    [ServerFact]
    public void Digits_that_a_phone_sends_are_told_with_their_call()
    {
        SipCall call = _module.Run<SipCall>("New-SipCall -To PJSIP/sipp-answer -Application Wait -ApplicationData 60 -Wait");
        // Receive: the server takes it as if the phone had sent it.
        void Press(char digit) => _module.Run($"param($c) Invoke-SipCommand PlayDTMF @{{ Channel = $c.CallId; Digit = '{digit}'; Receive = 'true' }} -Confirm:$false", call);
        // Zeros, until the watcher is known to watch. The server lets each sound before the next, so the others come after all of them.
        using var watch = new Watch(_module.Run<SipServer>("Get-SipServer live"), "CallDtmf", () => Press('0'));
        Press('4');
        Press('*');
        SipEvent[] events = watch.Until(e => e.Fields["Digit"] != "0", seen => seen.Length > 1);
        Assert.Equal("4*", string.Concat(events.Select(e => e.Fields["Digit"])));
        Assert.All(events, e => Assert.Equal((call.CallId, SipEventTypes.CallDtmf), (e.CallId, e.Type)));
        _module.Run("param($c) $c | Stop-SipCall", call);
    }

    [ServerFact]
    public async Task A_recording_has_sound_in_it()
    {
        SipCall call = _module.Run<SipCall>("New-SipCall -From sipp-answer -To milliwatt -Wait");
        string name = $"ifbus-live/{call.CallId}.wav";
        SipRecording recording = _module.Run<SipRecording>("param($c, $f) $c | Start-SipRecording $f", call, name);
        var file = new FileInfo(Path.Combine(LiveServer.MonitorFolder, name));
        // Until there is something in it: the server writes what it hears. 16 bits, 8 kHz: two seconds.
        DateTime end = DateTime.UtcNow.AddSeconds(30);
        while (!file.Exists || file.Length < 32_000)
        {
            Assert.True(DateTime.UtcNow < end, $"nothing is recorded into {file.FullName}");
            await Task.Delay(50);
            file.Refresh();
        }

        _module.Run("param($r) $r | Stop-SipRecording", recording);
        byte[] bytes = await File.ReadAllBytesAsync(file.FullName);
        Assert.Contains(bytes.Skip(44), b => b != 0);
        Assert.EndsWith(name, recording.Path, StringComparison.Ordinal);
        _module.Run("param($c) $c | Stop-SipCall", call);
        file.Delete();
    }

    [ServerFact]
    public void A_call_that_comes_in_is_answered_moved_and_ended()
    {
        using FarEnd caller = FarEnd.CallIn("4711");
        SipCall call = Incoming();
        Assert.Equal((CallDirection.Inbound, "5550100", "4711"), (call.Direction, call.From, call.To));
        SipCall answered = _module.Run<SipCall>("param($c) $c | Receive-SipCall -PassThru", call);
        Assert.Equal(CallState.Connected, answered.State);
        _module.Fails("SipCallNotIncoming", "param($c) $c | Deny-SipCall", call);
        SipCall moved = _module.Run<SipCall>("param($c) $c | Move-SipCall dial-answer -Context ifbus -PassThru", call);
        Assert.Equal((CallState.Connected, "dial-answer"), (moved.State, moved.To));
        DateTime stopping = DateTime.Now;
        _module.Run("param($c) $c | Stop-SipCall", call);
        caller.AssertKeptUntil(stopping);
    }

    [ServerTheory]
    [InlineData("UserBusy", "486")]
    [InlineData("CallRejected", "403")]
    public void A_call_that_comes_in_is_refused_with_the_cause_that_was_asked_for(string cause, string status)
    {
        using FarEnd caller = FarEnd.CallIn("4712");
        SipCall call = Incoming();
        SipCall ended = _module.Run<SipCall>($"param($c) $c | Deny-SipCall -Cause {cause} -PassThru", call);
        Assert.Equal((CallState.Terminated, cause, (DateTime?)null), (ended.State, ended.Cause.ToString(), ended.AnsweredAt));
        caller.WaitForEnd();
        Assert.Contains(caller.Parts(received: true), p => p.StartsWith($"SIP/2.0 {status}", StringComparison.Ordinal));
    }

    [ServerFact]
    public void Without_class_system_nothing_is_recorded_and_the_error_names_the_class()
    {
        SipServer limited = Connect("ifbus-calls", "calls-secret", "limited");
        Assert.False(limited.Capabilities.HasFlag(SipCapabilities.Recording));
        Assert.False(limited.Capabilities.HasFlag(SipCapabilities.ConferenceRecording));
        Assert.True(limited.Capabilities.HasFlag(SipCapabilities.BlindTransfer | SipCapabilities.MakeCall | SipCapabilities.Dtmf | SipCapabilities.Variables));
        SipCall call = _module.Run<SipCall>("New-SipCall -Server limited -From sipp-answer -To dial-answer -Wait");
        Assert.Contains("class system", _module.Fails("SipNotSupported", "param($c) $c | Start-SipRecording -Server limited", call).Exception.Message, StringComparison.Ordinal);
        Assert.Contains("class system", _module.Fails("SipNotSupported", "Set-SipConference room1 -Recording $true -Server limited").Exception.Message, StringComparison.Ordinal);
        Assert.Equal("dial-answer", _module.Run<SipCall>("param($c) $c | Move-SipCall dial-answer -Server limited -PassThru", call).To);
        _module.Run("param($c) $c | Stop-SipCall -Server limited", call);
    }

    [ServerFact]
    public void A_login_that_may_only_look_claims_nothing_else()
    {
        SipServer looking = Connect("ifbus-ro", "ro-secret", "looking");
        const SipCapabilities Changing = SipCapabilities.MakeCall | SipCapabilities.HangUp | SipCapabilities.BlindTransfer | SipCapabilities.AttendedTransfer | SipCapabilities.Hold | SipCapabilities.Conference
            | SipCapabilities.ConferenceRecording | SipCapabilities.Recording | SipCapabilities.Dtmf | SipCapabilities.Variables | SipCapabilities.Answer | SipCapabilities.Reject;
        Assert.Equal(SipCapabilities.None, looking.Capabilities & Changing);
        Assert.Equal(SipCapabilities.ListCalls | SipCapabilities.CallEvents | SipCapabilities.Statistics | SipCapabilities.Queues, looking.Capabilities & (SipCapabilities.ListCalls | SipCapabilities.CallEvents | SipCapabilities.Statistics | SipCapabilities.Queues));
        Assert.NotNull(_module.Run<SipStatistic>("Get-SipStatistic -Server looking").ActiveCalls);
        _module.Fails("SipNotSupported", "Get-SipGateway -Server looking");
    }

    private SipServer Connect(string user, string secret, string name) =>
        _module.Run<SipServer>("param($h, $p, $c, $n) Connect-SipServer $h -Port $p -Credential $c -Name $n -Context ifbus; Set-SipServer -Default live", LiveServer.Host, LiveServer.Port, Credentials.Of(user, secret), name);

    private SipCall Incoming()
    {
        DateTime end = DateTime.UtcNow.AddSeconds(10);
        while (true)
        {
            foreach (PSObject found in _module.Run("Get-SipCallStatus -Server live -State Incoming")) return (SipCall)found.BaseObject;
            Assert.True(DateTime.UtcNow < end, "no call came in");
        }
    }

    /// <summary>Watch-SipEvent in a runspace of its own, which is known to watch before anything happens that is to be seen.</summary>
    private sealed class Watch : IDisposable
    {
        private readonly ModuleRunspace _other = new();
        private readonly PowerShell _watcher;
        private readonly PSDataCollection<PSObject> _seen = [];

        /// <param name="server">The connection to watch.</param>
        /// <param name="type">Type of the events.</param>
        /// <param name="provoke">Makes such an event; done until one is seen.</param>
        public Watch(SipServer server, string type, Action provoke)
        {
            _watcher = PowerShell.Create(_other.Runspace);
            _watcher.AddScript("param($s, $t) Watch-SipEvent -Server $s -Type $t -Timeout 120").AddArgument(server).AddArgument(type);
            _watcher.BeginInvoke<PSObject, PSObject>(null, _seen);
            DateTime end = DateTime.UtcNow.AddSeconds(30);
            while (_seen.Count == 0)
            {
                Assert.True(DateTime.UtcNow < end, "nothing is seen");
                provoke();
                DateTime next = DateTime.UtcNow.AddSeconds(1);
                while (_seen.Count == 0 && DateTime.UtcNow < next) Thread.Sleep(10);
            }
        }

        /// <summary>Waits until the events of a kind are those that are wanted.</summary>
        public SipEvent[] Until(Func<SipEvent, bool> kind, Func<SipEvent[], bool> wanted)
        {
            DateTime end = DateTime.UtcNow.AddSeconds(30);
            while (true)
            {
                // By index: its enumerator waits for the watcher's end.
                SipEvent[] events = [.. Enumerable.Range(0, _seen.Count).Select(i => _seen[i].BaseObject).OfType<SipEvent>().Where(kind)];
                if (wanted(events)) return events;
                Assert.True(DateTime.UtcNow < end, "seen was only " + string.Join(", ", events.Select(e => e.Call?.State.ToString() ?? e.Name)));
                Thread.Sleep(10);
            }
        }

        public void Dispose()
        {
            _watcher.Stop();
            _watcher.Dispose();
            _seen.Dispose();
            _other.Dispose();
        }
    }
}
