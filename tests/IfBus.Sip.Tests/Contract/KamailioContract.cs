using System.Collections;
using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>
/// Calls that are made through a Kamailio by dlg.bridge_dlg: its phone refer obeys REFER; answer, busy, ring, bye and
/// reject do what they are called; nosuch is not registered.
/// </summary>
public abstract class KamailioContract : ServerContract
{
    /// <summary>The event socket.</summary>
    protected abstract string Events { get; }

    /// <summary>How numbers are addressed.</summary>
    protected abstract string Template { get; }

    /// <summary>True: the events are not used, the list of calls is polled.</summary>
    private protected bool Polled { get; set; }

    private bool IsNew => !Module.Run<SipServer>("Get-SipServer").Version!.StartsWith("Kamailio 5", StringComparison.Ordinal);

    protected override void Configure(Hashtable settings)
    {
        settings.Remove("Context");
        settings["Type"] = "Kamailio";
        settings["EndpointTemplate"] = Template;
        settings["PollInterval"] = 0.3;
        if (!Polled) settings["EventAddress"] = Events;
        if (Server.Secret.Length == 0) settings.Remove("Credential");
    }

    [KamailioTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_call_between_two_phones_and_its_end(bool polled)
    {
        Polled = polled;
        SipCall call = Call("-From refer -To answer");
        AssertAnswered(call);
        Assert.Equal(("refer", "answer", CallDirection.Outbound), (call.From, call.To, call.Direction));
        Assert.Equal("if://call/" + call.CallId, call.Uri);
        SipCall[] listed = Calls(Module.Run("Get-SipCallStatus"));
        Assert.Equal(call.CallId, Assert.Single(listed, c => c.To == "answer").CallId);
        SipCall ended = Stop(call);
        Assert.Equal((CallState.Terminated, HangupCause.NormalClearing, "us"), (ended.State, ended.Cause, ended.Details["EndedBy"]));
        Assert.Equal(ended.EndedAt - ended.AnsweredAt, ended.BillableDuration);
        SipCallDetailRecord record = Module.Run<SipCallDetailRecord>("param($c) $c | Get-SipCallDetailRecord", ended);
        Assert.Equal(("ANSWERED", "refer", "answer"), (record.Disposition, record.From, record.To));
    }

    [KamailioFact]
    public void Registrations_are_added_and_removed() => AddAndRemoveRegistrations();

    [KamailioFact]
    public void A_trunk_is_put_out_of_use_and_back()
    {
        SipGateway[] trunks = [.. Module.Run("Get-SipGateway").Select(g => (SipGateway)g.BaseObject)];
        string name = trunks.First(g => g.Name.StartsWith("1/sip:", StringComparison.Ordinal)).Name;
        try
        {
            SipGateway off = Module.Run<SipGateway>($"Set-SipGateway '{name}' Disabled -PassThru");
            Assert.Equal((name, "Disabled", false), (off.Name, off.Status, off.Available));
            Assert.Equal("Inactive", Module.Run<SipGateway>($"Set-SipGateway '{name}' Inactive -PassThru").Status);
        }
        finally
        {
            Assert.True(Module.Run<SipGateway>($"Set-SipGateway '{name}' Active -PassThru").Available);
        }

        Module.Fails("SipInvalidArgument", "Set-SipGateway nosuch Active");
        Module.Run("Set-SipGateway -Reload");
        Assert.Equal(trunks.Select(t => t.Name).Order(StringComparer.Ordinal), Module.Run("Get-SipGateway").Select(g => ((SipGateway)g.BaseObject).Name).Order(StringComparer.Ordinal));
        // The server takes one in five seconds.
        Assert.Contains("Ongoing reload", Module.Fails("SipRejected", "Set-SipGateway -Reload").Exception.Message, StringComparison.Ordinal);
    }

    [KamailioFact]
    public void A_table_of_the_script_is_written_and_read()
    {
        SipCommandResult set = Module.Run<SipCommandResult>("Invoke-SipCommand htable.sets ([ordered]@{ table = 'notes'; key = 'k'; value = 'a \"b\" <c>' }) -Confirm:$false");
        Assert.True(set.Success, set.Message);
        SipCommandResult got = Module.Run<SipCommandResult>("Invoke-SipCommand htable.get ([ordered]@{ table = 'notes'; key = 'k' }) -Confirm:$false");
        Assert.Contains("a \"b\" <c>", string.Join('|', got.Fields) + string.Join('|', got.Items) + string.Join('|', got.Output), StringComparison.Ordinal);
        Assert.True(Module.Run<SipCommandResult>("Invoke-SipCommand htable.delete ([ordered]@{ table = 'notes'; key = 'k' }) -Confirm:$false").Success);
        Assert.False(Module.Run<SipCommandResult>("Invoke-SipCommand htable.get ([ordered]@{ table = 'notes'; key = 'k' }) -Confirm:$false").Success);
        // The server takes values by their order, which that has not.
        Assert.Contains("[ordered]", Module.Fails("SipInvalidArgument", "Invoke-SipCommand htable.get @{ table = 'notes'; key = 'k' } -Confirm:$false").Exception.Message, StringComparison.Ordinal);
        Assert.Contains("No such htable", Module.Run<SipCommandResult>("Invoke-SipCommand htable.dump @{ table = 'nosuch' } -Confirm:$false").Message, StringComparison.Ordinal);
    }

    [KamailioTheory]
    [InlineData("busy", HangupCause.UserBusy, 486)]
    [InlineData("reject", HangupCause.CallRejected, 603)]
    public void The_second_party_refuses(string to, HangupCause cause, int status)
    {
        SipCall ended = Call($"-From refer -To {to}");
        Assert.Equal((CallState.Terminated, cause, status), (ended.State, ended.Cause, ended.SipStatus));
        Assert.Null(ended.AnsweredAt);
        Assert.Equal(TimeSpan.Zero, ended.BillableDuration);
    }

    [KamailioFact]
    public void Without_events_nobody_says_why_it_failed()
    {
        Polled = true;
        SipCall ended = Call("-From refer -To busy");
        Assert.Equal((CallState.Terminated, HangupCause.Unknown, null, null), (ended.State, ended.Cause, ended.SipStatus, ended.AnsweredAt));
    }

    [KamailioFact]
    public void The_second_party_does_not_exist()
    {
        // The server itself answers, and its event has no status then.
        SipCall ended = Call("-From refer -To nosuch");
        Assert.Equal((CallState.Terminated, null, null), (ended.State, ended.SipStatus, ended.AnsweredAt));
    }

    [KamailioTheory]
    [InlineData("nosuch", false, null)]
    [InlineData("busy", false, 486)]
    [InlineData("busy", true, null)]
    public void The_first_party_cannot_be_reached(string from, bool polled, int? status)
    {
        Polled = polled;
        SipCall ended = Call($"-From {from} -To answer");
        Assert.Equal((CallState.Terminated, status, null), (ended.State, ended.SipStatus, ended.AnsweredAt));
        Assert.Contains("was not called", ended.CauseText, StringComparison.Ordinal);
    }

    [KamailioFact]
    public void The_second_party_hangs_up()
    {
        SipCall call = Call("-From refer -To bye");
        AssertAnswered(call);
        SipCall ended = WaitForEnd(call);
        Assert.Equal((HangupCause.NormalClearing, "callee"), (ended.Cause, ended.Details["EndedBy"]));
    }

    [KamailioTheory]
    [InlineData("-To", "answer\r\nX-Evil: 1")]
    [InlineData("-To", "sip:answer@127.0.0.1?Replaces=a%3Bto-tag%3Db")]
    [InlineData("-To", "sip:answer@127.0.0.1;transport=udp")]
    [InlineData("-To", "<sip:answer@127.0.0.1>")]
    [InlineData("-To", "\"x\" <sip:answer@127.0.0.1>")]
    [InlineData("-To", "sip:ans%0d%0awer@127.0.0.1")]
    [InlineData("-To", "sip:ans\u0001wer@127.0.0.1")]
    [InlineData("-To", "sip:answer@127.0.0.1:5060, sip:b@127.0.0.1")]
    [InlineData("-From", "refer>;x=\"")]
    [InlineData("-From", "sip:refer@127.0.0.1\nRoute: <sip:a>")]
    [InlineData("-From", "sip:re fer@127.0.0.1")]
    public void What_is_no_address_is_refused_before_anything_is_sent(string parameter, string value)
    {
        string other = parameter == "-To" ? "-From refer" : "-To answer";
        ErrorRecord error = Module.Fails("SipInvalidNumber", $"param($v) New-SipCall {other} {parameter} $v", value);
        Assert.Contains(parameter, error.Exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(error.Exception.Message, char.IsControl);
        Assert.DoesNotContain(Calls(Module.Run("Get-SipCallStatus")), c => c.IsEnded is false && c.CallId.Length == 36);
    }

    [KamailioTheory]
    [InlineData("-To answer -Play tone")]
    [InlineData("-From refer -To answer -CallerId 5")]
    [InlineData("-From refer -To answer -Timeout 5")]
    [InlineData("-From refer -To answer -Variable @{ a = 'b' }")]
    public void What_it_cannot_do_with_a_new_call_is_refused_with_the_reason(string arguments) =>
        Assert.Contains("Nothing was sent", Module.Fails("SipNotSupported", "New-SipCall " + arguments).Exception.Message, StringComparison.Ordinal);

    [KamailioFact]
    public void A_first_party_that_rings_is_given_up_from_6_1_on()
    {
        SipCall call = Module.Run<SipCall>("New-SipCall -From ring -To answer");
        SipCall ringing = Until(call, c => c.State == CallState.Ringing);
        if (IsNew)
        {
            SipCall ended = Stop(ringing);
            Assert.Equal((CallState.Terminated, HangupCause.NormalClearing, "us", null), (ended.State, ended.Cause, ended.Details["EndedBy"], ended.AnsweredAt));
            Assert.Contains("was not called", ended.CauseText, StringComparison.Ordinal);
            return;
        }

        Fails(ringing, "SipHangUpRinging", "Stop-SipCall");
    }

    [KamailioFact]
    public void A_call_that_rings_is_ended_from_6_1_on()
    {
        SipCall call = Module.Run<SipCall>("New-SipCall -From refer -To ring");
        SipCall ringing = Until(call, c => c.State == CallState.Ringing && c.Details.ContainsKey("Dialog"));
        if (IsNew)
        {
            SipCall ended = Stop(ringing);
            Assert.Equal((CallState.Terminated, HangupCause.NormalClearing, "us", null), (ended.State, ended.Cause, ended.Details["EndedBy"], ended.AnsweredAt));
            return;
        }

        Assert.Contains("Nothing was sent", Fails(ringing, "SipHangUpRinging", "Stop-SipCall").Exception.Message, StringComparison.Ordinal);
        Assert.Equal(CallState.Ringing, Now(call).State);
    }
}
