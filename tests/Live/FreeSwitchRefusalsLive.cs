using System.Management.Automation;
using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests;

/// <summary>Names of variables whose value a real FreeSWITCH runs, and words at which it aborts: refused, and shown to be more than words.</summary>
public sealed class FreeSwitchRefusalsLive : FreeSwitchServerContract
{
    private readonly string _marker = Path.Combine(Path.GetTempPath(), "ifbus-" + Guid.NewGuid().ToString("N"));

    protected override ContractServer Server => LiveFreeSwitch.Contract;

    private string Command => $"system touch {_marker}";

    [FreeSwitchTheory]
    [InlineData("api_hangup_hook")]
    [InlineData("API_HANGUP_HOOK")]
    [InlineData("record_post_process_exec_api")]
    [InlineData("record_post_process_exec_app")]
    [InlineData("transfer_after_bridge")]
    [InlineData("group_confirm_file")]
    [InlineData("execute_on_answer")]
    [InlineData("system_on_fax_result")]
    public void A_variable_that_runs_its_value_is_refused(string name)
    {
        SipCall call = Call("-To 5 -Application park");
        Assert.Contains("refused", Module.Fails("SipInvalidArgument", "param($n, $v) New-SipCall -To 5 -Application park -Variable @{ $n = $v }", name, Command).Exception.Message, StringComparison.Ordinal);
        Module.Fails("SipInvalidArgument", "param($c, $n, $v) $c | Set-SipCallVariable $n $v", call, name, Command);
        Assert.Equal("", Module.Run<string>("param($c, $n) $c | Get-SipCallVariable $n", call, name));
        Assert.Equal(call.CallId, Assert.Single(Ours()).CallId);
        Stop(call);
        Assert.False(File.Exists(_marker), $"{name} ran a command");
    }

    // What the refusals are of: the same by a raw command, which is the way for who means it.
    [FreeSwitchFact]
    public void What_is_refused_would_have_run()
    {
        try
        {
            SipCall call = Call("-To 5 -Application park");
            Api("uuid_setvar", call.CallId, "api_hangup_hook", Command);
            Stop(call);
            Eventually(() => File.Exists(_marker), "the command of api_hangup_hook");
        }
        finally
        {
            File.Delete(_marker);
        }

        Assert.Contains("NORMAL_CLEARING", Api("originate", "loopback/set:ifbus_forged=1/default/inline", "&park()"), StringComparison.Ordinal);
        Assert.StartsWith("+OK", Api("originate", "loopback/app=log:x", "&hangup()"), StringComparison.Ordinal);
    }

    [FreeSwitchTheory]
    [InlineData("New-SipCall -From 5 -To UNDEF")]
    [InlineData("New-SipCall -From 5 -To undef")]
    [InlineData("New-SipCall -From 5 -To 1000 -Context UnDef")]
    [InlineData("New-SipCall -From 5 -To -both")]
    [InlineData("New-SipCall -From loopback/set:ifbus_forged=1/default/inline -To 1000")]
    [InlineData("New-SipCall -To loopback/app=log:x -Application park")]
    [InlineData("$call | Move-SipCall -To UNDEF")]
    [InlineData("$call | Move-SipCall -To -both")]
    [InlineData("$call | Move-SipCall -To -bleg")]
    [InlineData("$call | Move-SipCall -To 1000 -Context undef")]
    [InlineData("$call | Move-SipCall -To loopback/log:x/default/inline")]
    [InlineData("$call | Move-SipCall -To loopback/log:x/default/inline -Attended")]
    public void Words_that_the_server_takes_for_something_else_are_refused_and_it_lives(string script)
    {
        string core = Api("global_getvar", "core_uuid");
        SipCall call = Pair();
        // Quoted: a word with a dash would be a parameter of the cmdlet.
        (_, IReadOnlyList<ErrorRecord> errors) = Module.Try("param($call) " + script.Replace("-To -both", "-To '-both'", StringComparison.Ordinal).Replace("-To -bleg", "-To '-bleg'", StringComparison.Ordinal), call);
        Assert.StartsWith("SipInvalid", Assert.Single(errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal((CallState.Connected, 2), (Now(call).State, Up(Now(call))));
        Assert.Equal(core, Api("global_getvar", "core_uuid"));
        Stop(call);
    }
}
