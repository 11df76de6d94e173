using System.Collections;
using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>Where a contract is carried out, and what is to be stopped after it.</summary>
public sealed record ContractServer(string Host, int Port, string User, string Secret, IDisposable? Simulator = null);

/// <summary>The end of a call as the user gets it.</summary>
/// <param name="Cause">Why it ended.</param>
/// <param name="Code">The server's number for it.</param>
/// <param name="SipStatus">The SIP status that ended it.</param>
/// <param name="Text">The server's words, or ours.</param>
public sealed record Verdict(HangupCause Cause, int? Code, int? SipStatus, string? Text);

/// <summary>What the contracts share: a module that is connected to the server under test, and how calls are looked at.</summary>
public abstract class ServerContract : IDisposable
{
    private readonly Lazy<ModuleRunspace> _module;

    private readonly Lazy<bool> _is16;

    // How far the server's clock and ours may be apart within one test, in seconds: on FreeSWITCH its own stamps count.
    private const double Tolerance = 0.3;

    private readonly Dictionary<string, Moments> _moments = new(StringComparer.Ordinal);

    private readonly DateTime _begun = DateTime.UtcNow;

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

    protected SipCall Call(string arguments) => Make<SipCall>($"New-SipCall {arguments} -Wait");

    /// <summary>Makes a call, or several, and notes when: <see cref="AssertFinal"/> goes by the test's own clock.</summary>
    protected T Make<T>(string script, params object?[] arguments)
        where T : class
    {
        DateTime asked = DateTime.UtcNow;
        if (typeof(T) == typeof(SipCall[])) return (T)(object)Array.ConvertAll(Calls(Module.Run(script, arguments)), c => Seen(c, asked: asked));
        return (T)(object)Seen(Module.Run<SipCall>(script, arguments), asked: asked);
    }

    protected SipCall Stop(SipCall call)
    {
        DateTime ending = DateTime.UtcNow;
        return Seen(Module.Run<SipCall>("param($c) $c | Stop-SipCall -PassThru", call), ending: ending);
    }

    protected SipCall[] Stop(SipCall[] calls)
    {
        DateTime ending = DateTime.UtcNow;
        return Array.ConvertAll(Calls(Module.Run("param($c) $c | Stop-SipCall -PassThru", new object[] { calls })), c => Seen(c, ending: ending));
    }

    protected SipCall WaitForEnd(SipCall call) => Seen(Module.Run<SipCall>("param($c) $c | Wait-SipCall -Timeout 30", call));

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
            SipCall now = Seen(Module.Run<SipCall>("param($id) Get-SipCallStatus -CallId $id", call.CallId));
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

    protected SipCall Change(SipCall call, string cmdlet) => Seen(Module.Run<SipCall>($"param($c) $c | {cmdlet} -PassThru", call));

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

    /// <summary>
    /// How Asterisk and we tell that a server which shuts down ended a call. It says the end of each leg, but not always in
    /// time; of one that is in an application with code 0, as when the far end hangs up.
    /// </summary>
    protected static Verdict ShutDown(SipCall ended) => new(HangupCause.ServerShutdown, ended.CauseCode is 0 or 16 ? ended.CauseCode : null, null, "the server shut down or restarted");

    protected SipCall Now(SipCall call) => Seen(Module.Run<SipCall>("param($c) $c | Get-SipCallStatus", call));

    // A leg that is up is Up on Asterisk, ACTIVE on FreeSWITCH and answered on Yate.
    protected static int Up(SipCall call) => call.Legs.Count(l => l.State is "Up" or "ACTIVE" or "answered");

    protected void AssertAnswered(SipCall call)
    {
        Assert.Equal((CallState.Connected, null, null, null, null, null), (call.State, call.Cause, call.CauseCode, call.SipStatus, call.CauseText, call.EndedAt));
        Assert.NotNull(call.AnsweredAt);
        Seen(call);
    }

    /// <summary>How the end of a call is told that was answered and then hung up.</summary>
    protected virtual Verdict Cleared => new(HangupCause.NormalClearing, 16, null, "Normal Clearing");

    /// <summary>Asterisk 16 tells no SIP status, and no cause of a leg that nobody answered in time (wire/asterisk16).</summary>
    protected bool Is16 => _is16.Value;

    /// <summary>Asserts everything that is promised of a call that has ended.</summary>
    /// <param name="ended">The call.</param>
    /// <param name="why">Its end, in all that the user gets.</param>
    /// <param name="from">Its From.</param>
    /// <param name="to">Its To.</param>
    /// <param name="answered">The call as it was seen connected; null if it never was.</param>
    /// <param name="talked">How long it was connected at least, in seconds, where the far end decides.</param>
    /// <param name="direction">Who began it.</param>
    /// <param name="ours">Whether we made it.</param>
    protected void AssertFinal(SipCall ended, Verdict why, string? from, string? to, SipCall? answered = null, double talked = 0, CallDirection direction = CallDirection.Outbound, bool ours = true)
    {
        Moments clock = _moments[Seen(ended).CallId];
        Assert.Equal((CallState.Terminated, why), (ended.State, new Verdict(ended.Cause!.Value, ended.CauseCode, ended.SipStatus, ended.CauseText)));
        Assert.Equal((from, to, direction), (ended.From, ended.To, ended.Direction));
        if (ours) Assert.Equal("if://call/" + ended.CallId, ended.Uri);
        Assert.All(ended.Legs, l => Assert.Equal("Hungup", l.State));
        InRange(ended.CreatedAt, clock.Asked, clock.Ended);
        InRange(ended.EndedAt, clock.Ending ?? ended.AnsweredAt?.AddSeconds(talked) ?? clock.Asked, clock.Ended);
        Assert.Equal(ended.EndedAt - ended.CreatedAt, ended.Duration);
        if (answered is null)
        {
            Assert.Equal((null, TimeSpan.Zero), (ended.AnsweredAt, ended.BillableDuration));
            return;
        }

        // What was known when it was answered has not changed since.
        Assert.Equal(
            (answered.CallId, answered.Uri, answered.Server, answered.ServerType, answered.CallerId, answered.CreatedAt, answered.AnsweredAt),
            (ended.CallId, ended.Uri, ended.Server, ended.ServerType, ended.CallerId, ended.CreatedAt, ended.AnsweredAt));
        Assert.Equal(answered.Legs.Select(l => l.Id), ended.Legs.Take(answered.Legs.Count).Select(l => l.Id));
        InRange(ended.AnsweredAt, clock.Asked, clock.Connected);
        Assert.Equal(ended.EndedAt - ended.AnsweredAt, ended.BillableDuration);
        double least = Math.Max(talked, clock.Ending is { } ending ? (ending - clock.Connected!.Value).TotalSeconds : 0);
        Assert.InRange(ended.BillableDuration!.Value.TotalSeconds, least - Tolerance, (clock.Ended!.Value - clock.Asked).TotalSeconds + Tolerance);
    }

    /// <summary>Ends a call that was seen connected, and asserts everything that is promised of it.</summary>
    protected void AssertStopped(SipCall answered, string? from, string? to) => AssertFinal(Stop(answered), Cleared, from, to, answered: answered);

    // A moment that the server told lies between two of the test's own.
    private static void InRange(DateTime? moment, DateTime? after, DateTime? before) => Assert.InRange(moment!.Value, after!.Value.AddSeconds(-Tolerance), before!.Value.AddSeconds(Tolerance));

    // Notes when something of a call was first seen.
    private SipCall Seen(SipCall call, DateTime? asked = null, DateTime? ending = null)
    {
        DateTime now = DateTime.UtcNow;
        if (!_moments.TryGetValue(call.CallId, out Moments? clock)) _moments[call.CallId] = clock = new Moments(asked ?? _begun);
        clock.Ending ??= ending;
        if (call.AnsweredAt is not null) clock.Connected ??= now;
        if (call.IsEnded) clock.Ended ??= now;
        return call;
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

    // By the test's own clock: asked for, seen connected, its end begun by us, seen ended.
    private sealed class Moments(DateTime asked)
    {
        public DateTime Asked => asked;

        public DateTime? Connected { get; set; }

        public DateTime? Ending { get; set; }

        public DateTime? Ended { get; set; }
    }
}
