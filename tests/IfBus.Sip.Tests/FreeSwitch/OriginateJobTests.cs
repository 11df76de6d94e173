using IfBus.Sip.Adapters.FreeSwitch;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>The result of an originate is taken from its job alone, which nobody else can know, and says what the server's causes say.</summary>
public sealed class OriginateJobTests
{
    private static readonly SipCallRequest Ringing = new() { From = "sofia/gateway/ring/1", To = "1000" };

    [Fact]
    public async Task The_id_of_a_job_is_short_and_not_the_calls()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        var calls = new List<SipCall>();
        for (int i = 0; i < 20; i++) calls.Add(await rig.CallAsync(new SipCallRequest { To = "null/1", Application = "park" }));
        string[] ids = [.. rig.Sent.Where(s => s.StartsWith("bgapi originate", StringComparison.Ordinal)).Select(s => s[(s.IndexOf("\nJob-UUID: ", StringComparison.Ordinal) + 11)..])];
        Assert.Equal(20, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^[A-Za-z0-9_-]{16}$", id));
        Assert.All(ids, id => Assert.DoesNotContain(calls, c => c.CallId.Contains(id[..8], StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_job_of_another_client_with_the_id_of_our_call_ends_nothing()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await rig.CallAsync(Ringing, CallState.Ringing);
        using EslClient other = await EslClient.LogInAsync(rig.Server, "event json BACKGROUND_JOB");
        await other.CommandAsync($"bgapi nosuch\nJob-UUID: {call.CallId}");
        await other.EventAsync("BACKGROUND_JOB");
        await rig.PassAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(CallState.Ringing, rig.Now(call).State);
        Assert.Equal(HangupCause.NormalClearing, (await rig.Adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default)).Cause);
    }

    [Fact]
    public async Task Nor_does_a_job_of_the_right_id_that_is_no_originate()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await rig.CallAsync(Ringing, CallState.Ringing);
        string sent = rig.Sent.Last(s => s.StartsWith("bgapi originate", StringComparison.Ordinal));
        using EslClient other = await EslClient.LogInAsync(rig.Server, "event json BACKGROUND_JOB");
        await other.CommandAsync("bgapi nosuch\n" + sent[sent.IndexOf("Job-UUID: ", StringComparison.Ordinal)..]);
        await other.EventAsync("BACKGROUND_JOB");
        await rig.PassAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(CallState.Ringing, rig.Now(call).State);
    }

    [Theory]
    [InlineData("LOSE_RACE", HangupCause.AnsweredElsewhere, null)]
    [InlineData("PICKED_OFF", HangupCause.AnsweredElsewhere, null)]
    [InlineData("ORIGINATOR_CANCEL", HangupCause.NormalClearing, null)]
    [InlineData("SYSTEM_SHUTDOWN", HangupCause.ServerShutdown, null)]
    [InlineData("MEDIA_TIMEOUT", HangupCause.Unknown, null)]
    [InlineData("USER_BUSY", HangupCause.UserBusy, 17)]
    public async Task Each_cause_of_the_servers_own_ends_the_call_and_not_the_connection(string name, HangupCause cause, int? code)
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall ended = await rig.CallAsync(new SipCallRequest { From = "error/" + name, To = "1000" }, CallState.Terminated);
        Assert.Equal((cause, code, name), (ended.Cause, ended.CauseCode, ended.CauseText));
        Assert.Equal(ConnectionState.Connected, rig.Adapter.Server.State);
    }

    // switch_types.h, 1.10.12: all that it may say.
    [Fact]
    public void No_cause_of_the_server_has_no_answer()
    {
        string[] own =
        [
            "NONE", "SUCCESS", "ORIGINATOR_CANCEL", "CRASH", "SYSTEM_SHUTDOWN", "LOSE_RACE", "MANAGER_REQUEST", "BLIND_TRANSFER", "ATTENDED_TRANSFER", "ALLOTTED_TIMEOUT", "USER_CHALLENGE", "MEDIA_TIMEOUT",
            "PICKED_OFF", "USER_NOT_REGISTERED", "PROGRESS_TIMEOUT", "INVALID_GATEWAY", "GATEWAY_DOWN", "INVALID_URL", "INVALID_PROFILE", "NO_PICKUP", "SRTP_READ_ERROR", "BOWOUT", "BUSY_EVERYWHERE", "DECLINE",
            "DOES_NOT_EXIST_ANYWHERE", "NOT_ACCEPTABLE", "UNWANTED", "NO_IDENTITY", "BAD_IDENTITY_INFO", "UNSUPPORTED_CERTIFICATE", "INVALID_IDENTITY", "STALE_DATE", "REJECT_ALL",
        ];
        Assert.All(own, name => Assert.Null(FreeSwitchCauses.Q850Of(name)));
        Assert.Equal(17, FreeSwitchCauses.Q850Of("USER_BUSY"));
    }
}
