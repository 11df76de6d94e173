using System.Collections;
using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>Where a contract is carried out, and what is to be stopped after it.</summary>
public sealed record ContractServer(string Host, int Port, string User, string Secret, IDisposable? Simulator = null);

/// <summary>What the contracts share: a module that is connected to the server under test, and how calls are looked at.</summary>
public abstract class ServerContract : IDisposable
{
    private readonly Lazy<ModuleRunspace> _module;

    private readonly Lazy<bool> _is16;

    protected ServerContract()
    {
        _module = new Lazy<ModuleRunspace>(Open);
        _is16 = new Lazy<bool>(() => Module.Run<SipServer>("Get-SipServer contract").Version!.StartsWith("Asterisk 16.", StringComparison.Ordinal));
    }

    /// <summary>The server under test.</summary>
    protected abstract ContractServer Server { get; }

    /// <summary>What is run once connected, if anything.</summary>
    protected virtual string? AfterConnect => null;

    /// <summary>A call of two phones that answer.</summary>
    protected virtual string TwoPhones => "-From sipp-answer -To dial-answer";

    internal ModuleRunspace Module => _module.Value;

    /// <summary>Changes the settings of the connection.</summary>
    protected virtual void Configure(Hashtable settings)
    {
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (!disposing) return;
        if (_module.IsValueCreated) _module.Value.Dispose();
        Server.Simulator?.Dispose();
    }

    protected static SipCall[] Calls(IEnumerable<PSObject> objects) => [.. objects.Select(o => (SipCall)o.BaseObject)];

    protected SipCall Call(string arguments) => Module.Run<SipCall>($"New-SipCall {arguments} -Wait");

    protected SipCall Stop(SipCall call) => Module.Run<SipCall>("param($c) $c | Stop-SipCall -PassThru", call);

    protected SipCall WaitForEnd(SipCall call) => Module.Run<SipCall>("param($c) $c | Wait-SipCall -Timeout 30", call);

    /// <summary>Waits for what the server comes to in its own time.</summary>
    protected static void Eventually(Func<bool> condition, string what, double seconds = 20)
    {
        DateTime end = DateTime.UtcNow.AddSeconds(seconds);
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < end, $"never came to it: {what}");
            Thread.Sleep(20);
        }
    }

    protected SipCall Until(SipCall call, Func<SipCall, bool> condition)
    {
        DateTime end = DateTime.UtcNow.AddSeconds(15);
        while (true)
        {
            SipCall now = Module.Run<SipCall>("param($id) Get-SipCallStatus -CallId $id", call.CallId);
            if (condition(now)) return now;
            Assert.True(DateTime.UtcNow < end, $"The call never came to the awaited state; it is {now.State} with {string.Join(", ", now.Legs.Select(l => $"{l.Name} {l.State}"))}.");
        }
    }

    protected SipCall Pair()
    {
        SipCall call = Call(TwoPhones);
        Assert.Equal((CallState.Connected, 2), (call.State, call.Legs.Count));
        return call;
    }

    protected SipCall Change(SipCall call, string cmdlet) => Module.Run<SipCall>($"param($c) $c | {cmdlet} -PassThru", call);

    /// <summary>Registers a number that nobody has, as if its phone had done so, and takes it out again: what both proxies promise.</summary>
    protected void AddAndRemoveRegistrations()
    {
        string aor = "nosuch" + Guid.NewGuid().ToString("N")[..8];
        SipRegistration added = Module.Run<SipRegistration>($"Add-SipRegistration {aor} sip:{aor}@127.0.0.1:9999 -Expires 60");
        Assert.Equal((aor, $"sip:{aor}@127.0.0.1:9999"), (added.Aor, added.Contact));
        Assert.InRange(added.ExpiresAt!.Value, DateTime.UtcNow, DateTime.UtcNow.AddSeconds(61));
        Module.Fails("SipRegistrationNotFound", $"Remove-SipRegistration {aor} sip:other@127.0.0.1:9 -Confirm:$false");
        foreach (string contact in (string[])["\"sip:a@127.0.0.1`r`nX: y\"", "'sip:a@127.0.0.1?Replaces=x'", "'<sip:a@127.0.0.1>'"]) Module.Fails("SipInvalidArgument", $"Add-SipRegistration {aor} {contact}");
        Module.Run($"Remove-SipRegistration {aor} -WhatIf");
        Assert.Single(Module.Run("Get-SipRegistration"), r => ((SipRegistration)r.BaseObject).Aor == aor);
        Module.Run($"Remove-SipRegistration {aor} -Confirm:$false");
        Module.Fails("SipRegistrationNotFound", $"Remove-SipRegistration {aor} -Confirm:$false");
    }

    protected ErrorRecord Fails(SipCall call, string errorId, string cmdlet) => Module.Fails(errorId, $"param($c) $c | {cmdlet}", call);

    protected SipCall Now(SipCall call) => Module.Run<SipCall>("param($c) $c | Get-SipCallStatus", call);

    // A leg that is up is Up on Asterisk, ACTIVE on FreeSWITCH and answered on Yate.
    protected static int Up(SipCall call) => call.Legs.Count(l => l.State is "Up" or "ACTIVE" or "answered");

    protected static void AssertAnswered(SipCall call)
    {
        Assert.Equal(CallState.Connected, call.State);
        Assert.NotNull(call.AnsweredAt);
        Assert.Null(call.Cause);
        Assert.Null(call.EndedAt);
    }

    /// <summary>Asterisk 16 tells no SIP status, and no cause of a leg that nobody answered in time (wire/asterisk16).</summary>
    protected bool Is16 => _is16.Value;

    protected void AssertEnded(SipCall call, HangupCause cause, int? code, int? sipStatus, bool answered)
    {
        if (Is16)
        {
            if (cause == HangupCause.NoAnswer && sipStatus == 480) code = 0;
            sipStatus = null;
        }

        Assert.Equal((CallState.Terminated, cause, code, sipStatus), (call.State, call.Cause, call.CauseCode, call.SipStatus));
        Assert.NotNull(call.EndedAt);
        Assert.Equal(answered, call.AnsweredAt is not null);
        if (answered) Assert.Equal(call.EndedAt - call.AnsweredAt, call.BillableDuration);
        else Assert.Equal(TimeSpan.Zero, call.BillableDuration);
        Assert.Equal("if://call/" + call.CallId, call.Uri);
    }

    private ModuleRunspace Open()
    {
        var module = new ModuleRunspace();
        var settings = new Hashtable
        {
            ["Host"] = Server.Host,
            ["Port"] = Server.Port,
            ["Credential"] = Credentials.Of(Server.User, Server.Secret),
            ["Name"] = "contract",
            ["Context"] = "ifbus",
            ["RingTimeout"] = 20,
        };
        Configure(settings);
        module.Run("param($t) Connect-SipServer -Configuration $t", settings);
        if (AfterConnect is { } script) module.Run(script);
        return module;
    }
}
