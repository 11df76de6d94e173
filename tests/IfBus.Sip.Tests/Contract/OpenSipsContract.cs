using System.Collections;
using System.Management.Automation;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.OpenSips;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>
/// What a user of OpenSIPS is promised, through the cmdlets. The same verdicts on the simulator and on a real server;
/// phones are the simulator's, or real ones that the test holds.
/// </summary>
public abstract class OpenSipsContract : ServerContract
{
    private Relay? _relay;
    private int _events;

    /// <summary>A registered phone that does what its kind says: answer, busy, reject, notfound, ring. Returns its number.</summary>
    protected abstract string Phone(string kind);

    /// <summary>A phone calls a number through the server. Returns the SIP Call-ID.</summary>
    protected abstract string Dial(string from, string to);

    /// <summary>A phone hangs up what it talks in.</summary>
    protected abstract void HangUp(string phone);

    /// <summary>A phone gives up a call that rings.</summary>
    protected abstract void GiveUp(string phone, string callId);

    /// <summary>How many calls a phone talks in.</summary>
    protected abstract int Talking(string phone);

    protected override void Configure(Hashtable settings)
    {
        settings.Remove("Credential");
        settings.Remove("Context");
        settings["Type"] = "OpenSips";
        settings["KeepAlive"] = 1;
        _relay = new Relay(Server.Host, Server.Port);
        settings["Port"] = _relay.Port;
        using var free = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        free.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        _events = ((System.Net.IPEndPoint)free.LocalEndPoint!).Port;
        settings["EventAddress"] = $"127.0.0.1:{_events.ToString(System.Globalization.CultureInfo.InvariantCulture)}";
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing) _relay?.Dispose();
    }

    [OpenSipsFact]
    public void A_call_through_the_server_ended_by_us()
    {
        (string a, string b) = (Phone("answer"), Phone("answer"));
        SipCall call = Up(a, b);
        Assert.Equal((a, b, 2), (call.From, call.To, call.Legs.Count));
        AssertAnswered(call);
        SipCall ended = Stop(call);
        AssertOver(ended, HangupCause.NormalClearing, null, answered: true);
        Assert.Equal("us", ended.Details["EndedBy"]);
        Eventually(() => Talking(a) + Talking(b) == 0, "both phones are free");
    }

    [OpenSipsTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_call_through_the_server_ended_by_a_party(bool caller)
    {
        (string a, string b) = (Phone("answer"), Phone("answer"));
        SipCall call = Up(a, b);
        HangUp(caller ? a : b);
        SipCall ended = WaitForEnd(call);
        AssertOver(ended, HangupCause.NormalClearing, null, answered: true);
        // The server does not say who.
        Assert.False(ended.Details.ContainsKey("EndedBy"));
        SipCallDetailRecord record = Record(ended);
        Assert.Equal((call.CallId, "ANSWERED"), (record.CallId, record.Disposition));
        Assert.NotNull(record.BillableDuration);
    }

    [OpenSipsTheory]
    [InlineData("busy", "UserBusy", 486)]
    [InlineData("reject", "CallRejected", 603)]
    [InlineData("notfound", "UnallocatedNumber", 404)]
    public void A_call_through_the_server_that_is_refused(string kind, string cause, int status)
    {
        (string a, string b) = (Phone("answer"), Phone(kind));
        SipCall ended = Next(() => Dial(a, b), c => c.State == CallState.Terminated);
        AssertOver(ended, Enum.Parse<HangupCause>(cause), status, answered: false);
        Assert.Equal((a, b), (ended.From, ended.To));
        Assert.StartsWith(status.ToString(System.Globalization.CultureInfo.InvariantCulture), Record(ended).Disposition, StringComparison.Ordinal);
    }

    [OpenSipsFact]
    public void A_number_that_nobody_has()
    {
        string a = Phone("answer");
        SipCall ended = Next(() => Dial(a, "nosuchnumber"), c => c.State == CallState.Terminated);
        AssertOver(ended, HangupCause.UnallocatedNumber, 404, answered: false);
    }

    [OpenSipsFact]
    public void The_caller_gives_up()
    {
        (string a, string b) = (Phone("answer"), Phone("ring"));
        string sip = "";
        SipCall call = Next(() => sip = Dial(a, b), c => c.State == CallState.Ringing);
        GiveUp(a, sip);
        AssertOver(WaitForEnd(call), HangupCause.NormalClearing, 487, answered: false);
    }

    [OpenSipsFact]
    public void A_call_that_rings_is_ended_by_us()
    {
        (string a, string b) = (Phone("answer"), Phone("ring"));
        SipCall call = Next(() => Dial(a, b), c => c.State == CallState.Ringing);
        AssertOver(Stop(call), HangupCause.NormalClearing, 487, answered: false);
    }

    [OpenSipsFact]
    public void Two_numbers_are_joined_and_ended_by_us()
    {
        (string a, string b) = (Phone("answer"), Phone("answer"));
        SipCall call = Call($"-From {a} -To {b} -CallerId 'Ann Lee'");
        AssertAnswered(call);
        Assert.Equal((a, b, 2), (call.From, call.To, call.Legs.Count));
        Eventually(() => Talking(a) == 1 && Talking(b) == 1, "both talk");
        AssertOver(Stop(call), HangupCause.NormalClearing, null, answered: true);
        Eventually(() => Talking(a) + Talking(b) == 0, "both phones are free");
    }

    [OpenSipsTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Two_numbers_are_joined_and_a_party_hangs_up(bool first)
    {
        (string a, string b) = (Phone("answer"), Phone("answer"));
        SipCall call = Call($"-From {a} -To {b}");
        AssertAnswered(call);
        Eventually(() => Talking(a) == 1 && Talking(b) == 1, "both talk");
        HangUp(first ? a : b);
        AssertOver(WaitForEnd(call), HangupCause.NormalClearing, null, answered: true);
    }

    [OpenSipsTheory]
    [InlineData("busy")]
    [InlineData("reject")]
    public void Two_numbers_of_which_one_refuses(string kind)
    {
        (string a, string b) = (Phone("answer"), Phone(kind));
        // The server keeps to itself why; we do not make it up.
        SipCall to = Call($"-From {a} -To {b}");
        AssertOver(to, HangupCause.Unknown, null, answered: false);
        Assert.Contains(b, to.CauseText, StringComparison.Ordinal);
        SipCall from = Call($"-From {b} -To {a}");
        AssertOver(from, HangupCause.Unknown, null, answered: false);
        Assert.Contains(b, from.CauseText, StringComparison.Ordinal);
    }

    [OpenSipsTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Two_numbers_of_which_one_only_rings(bool first)
    {
        (string a, string b) = (Phone("answer"), Phone("ring"));
        SipCall call = Call(first ? $"-From {b} -To {a} -Timeout 2" : $"-From {a} -To {b} -Timeout 2");
        AssertOver(call, HangupCause.NoAnswer, null, answered: false);
        Assert.InRange(call.Duration!.Value.TotalSeconds, 1.9, 10);
    }

    [OpenSipsFact]
    public void A_destination_that_rings_is_not_connected_and_can_be_stopped()
    {
        (string a, string b) = (Phone("answer"), Phone("ring"));
        SipCall call = Module.Run<SipCall>($"New-SipCall -From {a} -To {b} | Wait-SipCall -State Ringing -Timeout 10");
        Assert.Equal((CallState.Ringing, (DateTime?)null), (call.State, call.AnsweredAt));
        AssertOver(Stop(call), HangupCause.NormalClearing, null, answered: false);
    }

    [OpenSipsFact]
    public void One_leg_answered_refused_and_left_alone()
    {
        SipCall call = Call($"-To {Phone("answer")} -Application ua_session");
        AssertAnswered(call);
        AssertOver(Stop(call), HangupCause.NormalClearing, null, answered: true);
        AssertOver(Call($"-To {Phone("busy")} -Application ua_session"), HangupCause.UserBusy, 486, answered: false);
        AssertOver(Call($"-To {Phone("ring")} -Application ua_session -Timeout 1"), HangupCause.NoAnswer, null, answered: false);
        string phone = Phone("answer");
        SipCall other = Call($"-To {phone} -Application ua_session");
        Eventually(() => Talking(phone) == 1, "it talks");
        HangUp(phone);
        SipCall left = WaitForEnd(other);
        AssertOver(left, HangupCause.NormalClearing, null, answered: true);
        Assert.Equal("callee", left.Details["EndedBy"]);
    }

    [OpenSipsFact]
    public void Held_and_resumed()
    {
        SipCall call = Up(Phone("answer"), Phone("answer"));
        SipCall held = Change(call, "Suspend-SipCall");
        Assert.Equal(CallState.OnHold, held.State);
        Fails(call, "SipCallOnHold", "Suspend-SipCall");
        Assert.Equal(CallState.OnHold, Now(call).State);
        Assert.Equal(CallState.Connected, Change(call, "Resume-SipCall").State);
        Fails(call, "SipCallNotOnHold", "Resume-SipCall");
        Stop(call);
    }

    [OpenSipsTheory]
    [InlineData("From")]
    [InlineData("To")]
    public void Transferred(string keep)
    {
        (string a, string b, string c) = (Phone("answer"), Phone("answer"), Phone("answer"));
        SipCall call = Up(a, b);
        SipCall moved = Change(call, $"Move-SipCall -To {c} -Keep {keep}");
        Assert.Equal((CallState.Connected, call.CallId, keep == "From" ? a : b, c), (moved.State, moved.CallId, moved.From, moved.To));
        Assert.Equal(call.AnsweredAt, moved.AnsweredAt);
        Eventually(() => Talking(c) == 1 && Talking(keep == "From" ? a : b) == 1 && Talking(keep == "From" ? b : a) == 0, "the new pair talks, the other is free");
        Assert.Single(Calls(Module.Run("Get-SipCallStatus")), x => x.To == c || x.From == a);
        AssertOver(Stop(moved), HangupCause.NormalClearing, null, answered: true);
        Eventually(() => Talking(a) + Talking(b) + Talking(c) == 0, "all are free");
    }

    [OpenSipsTheory]
    [InlineData("busy", "SipTransferFailed")]
    [InlineData("nobody", "SipDestinationNotFound")]
    public void Transferred_to_nobody_the_call_is_over_and_it_is_said(string kind, string errorId)
    {
        SipCall call = Up(Phone("answer"), Phone("answer"));
        string to = kind == "nobody" ? "nosuchnumber" : Phone(kind);
        ErrorRecord error = Fails(call, errorId, $"Move-SipCall -To {to}");
        Assert.Contains("The call is over", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal(CallState.Terminated, Now(call).State);
    }

    [OpenSipsTheory]
    [InlineData("From")]
    [InlineData("To")]
    public void A_call_of_ours_transferred(string keep)
    {
        (string a, string b, string c) = (Phone("answer"), Phone("answer"), Phone("answer"));
        SipCall call = Call($"-From {a} -To {b}");
        SipCall moved = Change(call, $"Move-SipCall -To {c} -Keep {keep}");
        (string stays, string goes) = keep == "From" ? (a, b) : (b, a);
        Assert.Equal((CallState.Connected, stays, c), (moved.State, moved.From, moved.To));
        Eventually(() => Talking(stays) == 1 && Talking(goes) == 0 && Talking(c) == 1, "the new pair talks");
        AssertOver(Stop(moved), HangupCause.NormalClearing, null, answered: true);
    }

    [OpenSipsTheory]
    [InlineData("From", "answer")]
    [InlineData("To", "answer")]
    [InlineData("From", "noreplaces")]
    public void Transferred_after_the_phones_own_consultation(string keep, string kind)
    {
        (string a, string b, string c) = (Phone("answer"), Phone("answer"), Phone(kind));
        SipCall call = Up(a, b);
        (string stays, string goes) = keep == "From" ? (a, b) : (b, a);
        SipCall consultation = Up(goes, c);
        SipCall waiting = Change(call, $"Move-SipCall -To {c} -Keep {keep} -Attended");
        Assert.Equal((CallState.Transferring, a, b), (waiting.State, waiting.From, waiting.To));
        Assert.Equal(2, Talking(goes));
        SipCall moved = Change(call, "Move-SipCall -Complete");
        Assert.Equal((CallState.Connected, call.CallId, stays, c), (moved.State, moved.CallId, moved.From, moved.To));
        Assert.Equal(call.AnsweredAt, moved.AnsweredAt);
        Assert.Equal(CallState.Terminated, WaitForEnd(consultation).State);
        Eventually(() => Talking(stays) == 1 && Talking(c) == 1 && Talking(goes) == 0, "the new pair talks, the other is free");
        Assert.Single(Calls(Module.Run("Get-SipCallStatus")), x => x.From == stays || x.To == c);
        AssertOver(Stop(moved), HangupCause.NormalClearing, null, answered: true);
        Eventually(() => Talking(stays) + Talking(c) == 0, "all are free");
    }

    [OpenSipsTheory]
    [InlineData("Cancel")]
    [InlineData("destination")]
    [InlineData("consulting")]
    public void A_consultation_that_is_given_up_leaves_the_first_call_as_it_was(string by)
    {
        (string a, string b, string c) = (Phone("answer"), Phone("answer"), Phone("answer"));
        SipCall call = Up(a, b);
        // The destination calls the one that asks it: that is a consultation as well.
        SipCall consultation = by == "consulting" ? Up(c, b) : Up(b, c);
        Assert.Equal(CallState.Transferring, Change(call, $"Move-SipCall -To {c} -Attended").State);
        Fails(call, "SipCallTransferring", $"Move-SipCall -To {c}");
        if (by == "Cancel") Assert.Equal(CallState.Connected, Change(call, "Move-SipCall -Cancel").State);
        else if (by == "destination") HangUp(c);
        else Stop(consultation);
        Assert.Equal(CallState.Terminated, WaitForEnd(consultation).State);
        Assert.Equal((CallState.Connected, a, b), (Now(call).State, Now(call).From, Now(call).To));
        Eventually(() => Talking(a) == 1 && Talking(b) == 1 && Talking(c) == 0, "the first two talk");
        Fails(call, "SipNoTransfer", "Move-SipCall -Complete");
        AssertOver(Stop(call), HangupCause.NormalClearing, null, answered: true);
    }

    [OpenSipsFact]
    public void Without_a_consultation_that_is_answered_nothing_is_joined()
    {
        (string a, string b, string c) = (Phone("answer"), Phone("answer"), Phone("ring"));
        SipCall call = Up(a, b);
        Assert.Contains(c, Fails(call, "SipNoConsultation", $"Move-SipCall -To {c} -Attended").Exception.Message, StringComparison.Ordinal);
        Assert.Equal(CallState.Connected, Now(call).State);
        SipCall consultation = Next(() => Dial(b, c), x => x.State == CallState.Ringing);
        Fails(call, "SipTimeout", $"Move-SipCall -To {c} -Attended -Timeout 0.3");
        Fails(call, "SipTransferNotAnswered", "Move-SipCall -Complete");
        // The call ends as any other while it waits.
        AssertOver(Stop(call), HangupCause.NormalClearing, null, answered: true);
        Assert.Equal(CallState.Ringing, Now(consultation).State);
        Stop(consultation);
    }

    [OpenSipsFact]
    public void What_the_server_cannot_do_is_refused_with_the_reason()
    {
        SipCall call = Up(Phone("answer"), Phone("answer"));
        Fails(call, "SipNotSupported", "Join-SipConference -Name room");
        Fails(call, "SipNotSupported", "Send-SipDtmf -Digits 1");
        Fails(call, "SipNotSupported", "Start-SipRecording -Path x.wav");
        Stop(call);
        SipCall ours = Call($"-From {Phone("answer")} -To {Phone("answer")}");
        Fails(ours, "SipNotSupported", "Suspend-SipCall");
        Fails(ours, "SipNotSupported", "Move-SipCall -To x -Attended");
        Stop(ours);
    }

    [OpenSipsTheory]
    [InlineData("sip:a@127.0.0.1?Replaces=x%3Bto-tag%3D1")]
    [InlineData("sip:a@127.0.0.1\r\nX-Evil: 1")]
    [InlineData("sip:a@127.0.0.1,sip:b@127.0.0.1")]
    [InlineData("sip:\"a\"@127.0.0.1")]
    [InlineData("<sip:a@127.0.0.1>")]
    [InlineData("sip:a@127.0.0.1;method=BYE")]
    [InlineData("sip:a@127.0.0.1;osid=1.2")]
    [InlineData("sip:a%0d%0a@127.0.0.1")]
    [InlineData("a b")]
    [InlineData("a\tb")]
    [InlineData("1001,client3")]
    [InlineData("")]
    public void Bad_addresses_are_refused(string address)
    {
        string good = Phone("answer");
        foreach (string cmdlet in (string[])["New-SipCall -From $x -To $y", "New-SipCall -From $y -To $x", "New-SipCall -To $x -Application ua_session"])
        {
            (_, IReadOnlyList<ErrorRecord> errors) = Module.Try($"param($x, $y) {cmdlet}", address, good);
            Assert.Single(errors);
        }

        Assert.DoesNotContain(Calls(Module.Run("Get-SipCallStatus")), c => c.From == good || c.To == good);
    }

    [OpenSipsFact]
    public void Bad_names_variables_and_offers_are_refused()
    {
        (string a, string b) = (Phone("answer"), Phone("answer"));
        foreach (string bad in (string[])["-CallerId \"a`r`nX: 1\"", "-CallerId 'a,b'", "-CallerId 'Ann <1001>'", "-CallerId 'a\"b'", "-Variable @{ 'a=b' = 1 }", "-Variable @{ a = \"x`ny\" }", "-Variable @{ ifbus_call = 1 }"])
            Module.Fails("SipInvalidArgument", $"New-SipCall -From {a} -To {b} {bad}");
        foreach (string bad in (string[])["-Application Dial", "-Play x", "-Application ua_session -ApplicationData 'hello'", "-Application ua_session -ApplicationData \"v=0`r`n`r`nINVITE\"", "-Application ua_session -CallerId 'a,b <1>'"])
            Module.Fails("SipInvalidArgument", $"New-SipCall -To {a} {bad}");
        Assert.DoesNotContain(Calls(Module.Run("Get-SipCallStatus")), c => c.From == a || c.To == a);
    }

    [OpenSipsFact]
    public void Unknown_numbers_and_ended_calls_are_said_so()
    {
        Module.Fails("SipNumberNotRegistered", $"New-SipCall -From nosuchnumber -To {Phone("answer")}");
        SipCall call = Stop(Up(Phone("answer"), Phone("answer")));
        Module.Fails("SipCallEnded", "param($id) Stop-SipCall -CallId $id", call.CallId);
        Module.Fails("SipCallNotFound", "Stop-SipCall -CallId nobody");
    }

    [OpenSipsFact]
    public void Registrations_trunks_counters_health_and_raw_commands()
    {
        string phone = Phone("answer");
        SipRegistration registration = Assert.Single(Module.Run("Get-SipRegistration").Select(r => (SipRegistration)r.BaseObject), r => r.Aor == phone);
        Assert.StartsWith("sip:", registration.Contact, StringComparison.Ordinal);
        SipGateway[] trunks = [.. Module.Run("Get-SipGateway").Select(g => (SipGateway)g.BaseObject)];
        Assert.Contains(trunks, g => g.Name.StartsWith("ds:1/sip:", StringComparison.Ordinal) && g.Available);
        Assert.Contains(trunks, g => g is { Name: "lb:1", ActiveChannels: 0 });
        SipStatistic counters = Module.Run<SipStatistic>("Get-SipStatistic");
        Assert.NotNull(counters.Fields["dialog:active_dialogs"]);
        Assert.NotNull(counters.ProcessedCalls);
        Assert.NotNull(counters.StartedAt);
        SipServerHealth health = Module.Run<SipServerHealth>("Test-SipServer");
        Assert.NotNull(health.Uptime);
        Assert.StartsWith("OpenSIPS 3.6", Module.Run<SipServer>("Get-SipServer").Version, StringComparison.Ordinal);
        Assert.True(Module.Run<SipCommandResult>("Invoke-SipCommand get_statistics @{ statistics = '[\"dialog:\"]' } -Confirm:$false").Success);
        SipCommandResult wrong = Module.Run<SipCommandResult>("Invoke-SipCommand dlg_end_dlg @{ dialog_id = 'nocall' } -Confirm:$false");
        Assert.Equal((false, "404 Requested Dialog not found"), (wrong.Success, wrong.Message));
        Assert.Equal("-32601 Method not found", Module.Run<SipCommandResult>("Invoke-SipCommand no_such_command -Confirm:$false").Message);
        Module.Fails("SipInvalidArgument", "Invoke-SipCommand t_hash -Confirm:$false");
    }

    [OpenSipsFact]
    public void Registrations_are_added_and_removed() => AddAndRemoveRegistrations();

    [OpenSipsTheory]
    [InlineData("ds:1/", "Inactive")]
    [InlineData("lb:2", "disabled")]
    public void A_trunk_is_put_out_of_use_and_back(string begins, string status)
    {
        SipGateway[] trunks = [.. Module.Run("Get-SipGateway").Select(g => (SipGateway)g.BaseObject)];
        string name = trunks.First(g => g.Name.StartsWith(begins, StringComparison.Ordinal)).Name;
        try
        {
            SipGateway off = Module.Run<SipGateway>($"Set-SipGateway '{name}' Inactive -PassThru");
            Assert.Equal((name, status, false), (off.Name, off.Status, off.Available));
            Assert.False(((SipGateway)Assert.Single(Module.Run("Get-SipGateway"), g => ((SipGateway)g.BaseObject).Name == name).BaseObject).Available);
        }
        finally
        {
            Assert.True(Module.Run<SipGateway>($"Set-SipGateway '{name}' Active -PassThru").Available);
        }

        Module.Fails("SipInvalidArgument", $"Set-SipGateway '{name}' Trying");
        Module.Fails("SipGatewayNotFound", "Set-SipGateway nosuch Active");
        Module.Run("Set-SipGateway -Reload");
        Assert.Equal(trunks.Length, Module.Run("Get-SipGateway").Count);
    }

    [OpenSipsFact]
    public void The_server_is_gone_and_back()
    {
        (string a, string b, string c, string d) = (Phone("answer"), Phone("answer"), Phone("answer"), Phone("answer"));
        SipCall stays = Up(a, b);
        SipCall ours = Call($"-From {c} -To {d}");
        _relay!.Cut();
        Eventually(() => Module.Run<SipServer>("Get-SipServer").State == ConnectionState.Reconnecting, "it is seen to be gone");
        Fails(stays, "SipServerNotConnected", "Stop-SipCall");
        HangUp(c);
        _relay.Mend();
        Eventually(() => Module.Run<SipServer>("Get-SipServer").State == ConnectionState.Connected, "it is back");
        Assert.Equal(CallState.Connected, Now(stays).State);
        Assert.Equal(CallState.Terminated, WaitForEnd(ours).State);
        AssertOver(Stop(stays), HangupCause.NormalClearing, null, answered: true);
    }

    [OpenSipsFact]
    public void Events_that_are_lost_are_told_and_the_calls_are_read_again()
    {
        (string a, string b) = (Phone("answer"), Phone("answer"));
        SipCall call = Up(a, b);
        string target = $"tcp:127.0.0.1:{_events.ToString(System.Globalization.CultureInfo.InvariantCulture)}";
        // Somebody takes our subscriptions away, and then the call ends.
        foreach (string name in (string[])["E_DLG_STATE_CHANGED", "E_ACC_CDR"]) Module.Run("param($e, $t) Invoke-SipCommand event_subscribe @{ 1 = $e; 2 = $t; 3 = 0 } -Confirm:$false", name, target);
        HangUp(a);
        Assert.Equal(CallState.Terminated, WaitForEnd(call).State);
        Eventually(() => Module.Run<SipCommandResult>("param($t) Invoke-SipCommand subscribers_list @{ 1 = 'E_DLG_STATE_CHANGED'; 2 = $t } -Confirm:$false", target) is { Success: true } told && !told.Output[0].Contains("expired", StringComparison.Ordinal), "it is subscribed again");
        AssertOver(Stop(Up(Phone("answer"), Phone("answer"))), HangupCause.NormalClearing, null, answered: true);
    }

    [OpenSipsFact]
    public async Task Events_that_came_while_nobody_listened_are_told_as_lost()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        (string a, string b, string c, string d) = (Phone("answer"), Phone("answer"), Phone("answer"), Phone("answer"));
        var configuration = new SipServerConfiguration { Type = SipServerType.OpenSips, Host = Server.Host, Port = Server.Port, KeepAlive = TimeSpan.FromSeconds(1) };
        await using var adapter = (OpenSipsAdapter)new SipAdapterFactory().Create(configuration, null);
        await adapter.ConnectAsync(limit.Token);
        using ISipEventSubscription events = adapter.Subscribe(SipEventTypes.EventsLost);
        Dial(a, b);
        Eventually(() => adapter.KnownCalls.Any(x => x.From == a && x.State == CallState.Connected), "it is seen");
        string id = adapter.KnownCalls.Single(x => x.From == a).CallId;
        Assert.False(events.TryRead(out _));

        adapter.Listener!.Stop();
        HangUp(a);
        Eventually(() => Talking(b) == 0, "it is over");
        Dial(c, d);
        Eventually(() => Talking(d) == 1, "the next one talks");
        adapter.Listener.Start();
        HangUp(c);
        long lost = 0;
        while (lost == 0)
        {
            SipEvent told = await events.ReadAsync(limit.Token);
            Assert.Contains("lost", told.Message, StringComparison.Ordinal);
            lost = told.LostCount;
        }

        Eventually(() => adapter.FindCall(id)!.State == CallState.Terminated && adapter.KnownCalls.All(x => x.From != c), "its end is known");
        Assert.Equal(HangupCause.NormalClearing, adapter.FindCall(id)!.Cause);
    }

    /// <summary>A call through the server that two talk in.</summary>
    protected SipCall Up(string from, string to) => Next(() => Dial(from, to), c => c.State == CallState.Connected);

    // The newest call that somebody makes, once it is as wanted.
    private SipCall Next(Action begin, Func<SipCall, bool> condition)
    {
        HashSet<string> known = [.. Calls(Module.Run("Get-SipCallStatus; Get-SipCallHistory")).Select(c => c.CallId)];
        begin();
        SipCall? found = null;
        Eventually(() => (found = Array.Find(Calls(Module.Run("Get-SipCallStatus; Get-SipCallHistory")), c => !known.Contains(c.CallId) && condition(c))) is not null, "the call is as awaited");
        return found!;
    }

    private SipCallDetailRecord Record(SipCall call)
    {
        SipCallDetailRecord? found = null;
        Eventually(() => (found = Module.Run("param($c) $c | Get-SipCallDetailRecord", call).Select(r => (SipCallDetailRecord)r.BaseObject).FirstOrDefault()) is not null, "its record has come");
        return found!;
    }

    private static void AssertOver(SipCall call, HangupCause cause, int? status, bool answered)
    {
        Assert.Equal((CallState.Terminated, cause, (int?)null, status), (call.State, call.Cause, call.CauseCode, call.SipStatus));
        Assert.NotNull(call.EndedAt);
        Assert.Equal(answered, call.AnsweredAt is not null);
    }
}
