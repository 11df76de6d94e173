using System.Net;
using IfBus.Sip.Adapters.FreeSwitch;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>
/// Values without a blank, a comma or a quote in them that FreeSWITCH 1.10.12 runs, takes for an option, or aborts at, as
/// seen on the real one and read in its source. They are refused before a byte is sent.
/// </summary>
public sealed class FreeSwitchRefusalsTests
{
    // Names of variables whose value is run, or says where the channel goes next.
    private static readonly string[] Executing =
    [
        "execute_on_answer", "EXECUTE_ON_RING", "api_on_answer", "Api_hangup_hook", "api_reporting_hook", "session_in_hangup_hook", "exec_after_bridge_app", "bridge_pre_execute_bleg_app",
        "record_post_process_exec_app", "record_post_process_exec_api", "group_confirm_key", "GROUP_CONFIRM_FILE", "group_confirm_cancel_timeout", "loopback_app", "loopback_app_arg",
        "system_on_fax_result", "transfer_after_bridge", "transfer_after_early_bridge", "transfer_on_fail", "force_transfer_dialplan", "force_transfer_context", "campon_fallback_exten",
        "hold_hangup_xfer_exten", "native_backup_extension", "sip_redirect_dialplan", "inbound_dialplan", "fifo_orbit_exten", "mutex_orbit_dialplan", "valet_parking_orbit_exten",
    ];

    public static TheoryData<string> ExecutingVariables()
    {
        var data = new TheoryData<string>();
        foreach (string name in Executing) data.Add(name);
        return data;
    }

    [Theory]
    [InlineData("loopback/set:ifbus_forged=1/default/inline")]
    [InlineData("LOOPBACK/set:ifbus_forged=1/default/INLINE")]
    [InlineData("loopback/log:x//inline")]
    [InlineData("loopback/1000/default/XML")]
    [InlineData("loopback/1000/default/")]
    [InlineData("loopback/1000:1/default")]
    [InlineData("loopback/1000/default:x")]
    [InlineData("loopback/app=log:x")]
    [InlineData("loopback/APP=log:x")]
    [InlineData("loopback//default")]
    public void A_loopback_endpoint_is_a_number_and_a_context_and_nothing_more(string endpoint)
    {
        var calls = new (string Parameter, SipCallRequest Request)[]
        {
            ("From", new SipCallRequest { From = endpoint, To = "1000" }),
            ("From", new SipCallRequest { From = "5", FromAlternatives = [endpoint], To = "1000" }),
            ("To", new SipCallRequest { From = "5", To = endpoint }),
            ("To", new SipCallRequest { From = "5", To = "6", ToAlternatives = [endpoint] }),
            ("To", new SipCallRequest { To = endpoint, Application = "park" }),
        };
        foreach ((string parameter, SipCallRequest request) in calls) Assert.Equal((parameter, "SipInvalidNumber"), Refused(request));
    }

    [Theory]
    [InlineData("loopback/{0}/default/inline", false)]
    [InlineData("loopback/set:a={0}", false)]
    [InlineData("loopback/app={0}", false)]
    [InlineData("loopback/{0}", true)]
    [InlineData("loopback/{0}/default", true)]
    public void Nor_does_a_template_make_more_of_a_number(string template, bool good) => Assert.Equal(good, FreeSwitchNumbers.TemplateProblem(template) is null);

    [Theory]
    [InlineData("loopback/1000")]
    [InlineData("loopback/+49.30-1*#/my-context.2")]
    [InlineData("Loopback/1000/default")]
    [InlineData("sofia/internal/1000@host:5060;transport=tcp")]
    public void Other_endpoints_are_taken_as_before(string endpoint) =>
        Assert.Contains($"]{endpoint} 1000 XML default", Command(new SipCallRequest { From = endpoint, To = "1000" }), StringComparison.Ordinal);

    [Theory]
    [InlineData("undef")]
    [InlineData("UNDEF")]
    [InlineData("Undef")]
    public void The_servers_word_for_nothing_is_no_extension_and_no_context(string word)
    {
        Assert.Equal(("To", "SipInvalidNumber"), Refused(new SipCallRequest { From = "5", To = word }));
        Assert.Equal(("Context", "SipInvalidArgument"), Refused(new SipCallRequest { From = "5", To = "1000", Context = word }));
        Assert.Equal(("Context", "SipInvalidArgument"), Refused(new SipCallRequest { From = "5", To = "1000" }, new SipServerConfiguration { Context = word }));
        var problems = new List<SipConfigurationProblem>();
        FreeSwitchAdapter.Check(new SipServerConfiguration { Host = "h", Credential = new NetworkCredential("a", "b"), Context = word }, problems);
        Assert.Equal(("Context", word), (Assert.Single(problems).Parameter, problems[0].Value));
        // What only holds it is a word like any other.
        Assert.EndsWith(" undefined XML undefs", Command(new SipCallRequest { From = "5", To = "undefined", Context = "undefs" }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-both")]
    [InlineData("-bleg")]
    [InlineData("-1000")]
    public void An_option_of_the_servers_transfer_is_no_extension(string word) => Assert.Equal(("To", "SipInvalidNumber"), Refused(new SipCallRequest { From = "5", To = word }));

    [Theory]
    [MemberData(nameof(ExecutingVariables))]
    public void Variables_that_run_something_are_refused_with_a_new_call(string name) =>
        Assert.Equal(("Variable", "SipInvalidArgument"), Refused(new SipCallRequest { To = "5", Application = "park", Variables = [KeyValuePair.Create(name, "set:a=b")] }));

    [Fact]
    public async Task Nor_on_a_call_that_lives_which_stays_as_it_was()
    {
        using FreeSwitchSimulator server = FreeSwitchSimulator.Start();
        await using ISipAdapter adapter = await Connected.ToAsync(SipServerType.FreeSwitch, server.Port, 10, 10, 20, new NetworkCredential("freeswitch", server.Secret));
        SipCall call = await adapter.MakeCallAsync(new SipCallRequest { From = "loopback/1000", To = "1001" }, default);
        await adapter.WaitForCallAsync(call.CallId, [CallState.Connected], TimeSpan.FromSeconds(30), default);
        long before = server.CommandsReceived;
        foreach (string name in Executing)
        {
            SipArgumentException refused = await Assert.ThrowsAsync<SipArgumentException>(() => adapter.SetVariableAsync(call.CallId, name, "system touch x", SipParty.From, default));
            Assert.Equal(("Name", name), (refused.Parameter, refused.Value));
        }

        foreach (string to in (string[])["-both", "-bleg", "UNDEF", "loopback/system:x/default/inline", "loopback/app=system:x"])
            Assert.Equal("To", (await Assert.ThrowsAsync<SipArgumentException>(() => adapter.TransferAsync(call.CallId, new SipTransferRequest { To = to }, default))).Parameter);
        Assert.Equal("Context", (await Assert.ThrowsAsync<SipArgumentException>(() => adapter.TransferAsync(call.CallId, new SipTransferRequest { To = "1000", Context = "UNDEF" }, default))).Parameter);
        Assert.Equal(before, server.CommandsReceived);
        Assert.Empty(server.SystemCommands);
        Assert.Equal(CallState.Connected, adapter.FindCall(call.CallId)!.State);
    }

    // What the server does with it, if it is let through: the refusals above are of something.
    [Theory]
    [InlineData("originate loopback/system:x/default/inline &park()")]
    [InlineData("originate loopback/app=system:x &park()")]
    public async Task The_simulator_runs_what_the_server_would_run(string command)
    {
        using FreeSwitchSimulator server = FreeSwitchSimulator.Start();
        await using ISipAdapter adapter = await Connected.ToAsync(SipServerType.FreeSwitch, server.Port, 10, 10, 20, new NetworkCredential("freeswitch", server.Secret));
        string[] words = command.Split(' ', 2);
        await adapter.InvokeCommandAsync(new SipCommandRequest(words[0], [KeyValuePair.Create("a", words[1])]), default);
        await Until.TrueAsync(() => server.SystemCommands.Count == 1);
        Assert.Equal(["x"], server.SystemCommands);
    }

    private static string Command(SipCallRequest request, SipServerConfiguration? configuration = null) =>
        FreeSwitchCommands.Originate(request, "11111111-2222-4333-8444-555555555555", configuration ?? new SipServerConfiguration(), null, out _, out _);

    private static (string? Parameter, string ErrorId) Refused(SipCallRequest request, SipServerConfiguration? configuration = null)
    {
        SipArgumentException e = Assert.Throws<SipArgumentException>(() => Command(request, configuration));
        return (e.Parameter, e.ErrorId);
    }
}
