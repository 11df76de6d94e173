using System.Collections;
using System.Globalization;
using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests
{
    /// <summary>Calls that we make on a real Kamailio.</summary>
    public sealed class KamailioOriginatesLive : KamailioContract
    {
        protected override ContractServer Server => LiveKamailio.Contract;

        protected override string Events => LiveKamailio.Events;

        protected override string Template => LiveKamailio.Template;
    }

    /// <summary>Calls through a real Kamailio; kamailio.sh starts one. With and without its script's events.</summary>
    public sealed class KamailioLive : ServerContract
    {
        private readonly List<SipPhone> _phones = [];
        private Relay? _relay;
        private bool _polled;

        protected override ContractServer Server => LiveKamailio.Contract;

        protected override void Configure(Hashtable settings)
        {
            settings.Remove("Credential");
            settings.Remove("Context");
            settings["Type"] = "Kamailio";
            settings["KeepAlive"] = 1;
            settings["EndpointTemplate"] = LiveKamailio.Template;
            _relay = new Relay(Server.Host, Server.Port);
            settings["Port"] = _relay.Port;
            if (!_polled) settings["EventAddress"] = LiveKamailio.Events;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                foreach (SipPhone phone in _phones) Module.Try("param($a) Invoke-SipCommand ul.rm @{ 1 = 'location'; 2 = $a } -Confirm:$false", phone.Name);
            }

            base.Dispose(disposing);
            if (!disposing) return;
            _relay?.Dispose();
            _phones.ForEach(p => p.Dispose());
        }

        [KamailioTheory]
        [InlineData(false)]
        [InlineData(true)]
        public void A_call_through_the_server_ended_by_us(bool polled)
        {
            _polled = polled;
            (SipPhone a, SipPhone b) = (Phone(), Phone());
            SipCall call = Up(a, b.Name);
            AssertAnswered(call);
            Assert.Equal((a.Name, b.Name), (call.From, call.To));
            SipCall ended = Stop(call);
            Assert.Equal((CallState.Terminated, HangupCause.NormalClearing), (ended.State, ended.Cause));
            Assert.Equal("us", ended.Details["EndedBy"]);
            Eventually(() => a.Talking + b.Talking == 0, "both phones are free");
            foreach (SipPhone phone in (SipPhone[])[a, b]) Assert.Contains("Reason: Q.850;cause=16", Assert.Single(phone.Requests("BYE")), StringComparison.Ordinal);
        }

        [KamailioTheory]
        [InlineData(true)]
        [InlineData(false)]
        public void A_call_through_the_server_ended_by_a_party(bool caller)
        {
            (SipPhone a, SipPhone b) = (Phone(), Phone());
            SipCall call = Up(a, b.Name);
            (caller ? a : b).HangUp();
            SipCall ended = WaitForEnd(call);
            Assert.Equal(HangupCause.NormalClearing, ended.Cause);
            Assert.Equal(caller ? "caller" : "callee", ended.Details["EndedBy"]);
        }

        [KamailioFact]
        public void Without_events_nobody_says_who_ended_it()
        {
            _polled = true;
            SipPhone a = Phone();
            SipCall call = Up(a, Phone().Name);
            a.HangUp();
            SipCall ended = WaitForEnd(call);
            Assert.Equal((CallState.Terminated, HangupCause.Unknown, null), (ended.State, ended.Cause, ended.SipStatus));
            Assert.False(ended.Details.ContainsKey("EndedBy"));
        }

        [KamailioTheory]
        [InlineData("busy", HangupCause.UserBusy, 486)]
        [InlineData("reject", HangupCause.CallRejected, 603)]
        public void A_call_through_the_server_that_is_refused(string farEnd, HangupCause cause, int status)
        {
            SipPhone a = Phone();
            SipCall ended = Ended(a, a.Call(farEnd));
            Assert.Equal((cause, status, null), (ended.Cause, ended.SipStatus, ended.AnsweredAt));
        }

        [KamailioFact]
        public void A_call_that_rings_cannot_be_ended_by_us_and_the_caller_gives_up()
        {
            SipPhone a = Phone();
            Connect();
            string id = a.Call("ring");
            SipCall call = Seen(a, c => c.State == CallState.Ringing);
            Assert.Contains("Nothing was sent", Fails(call, "SipHangUpRinging", "Stop-SipCall").Exception.Message, StringComparison.Ordinal);
            Assert.Equal(CallState.Ringing, Now(call).State);
            a.Cancel(id);
            SipCall ended = WaitForEnd(call);
            Assert.Equal((487, "caller"), (ended.SipStatus, ended.Details["EndedBy"]));
            Assert.Null(ended.AnsweredAt);
        }

        [KamailioFact]
        public void What_the_server_cannot_do_is_refused()
        {
            SipCall call = Up(Phone(), Phone().Name);
            foreach (string cmdlet in (string[])["Suspend-SipCall", "Move-SipCall -To answer", "Send-SipDtmf -Digits 1"]) Fails(call, "SipNotSupported", cmdlet);
            Assert.Equal(CallState.Connected, Now(call).State);
            Stop(call);
        }

        [KamailioFact]
        public void Registrations_trunks_counters_and_health()
        {
            SipPhone phone = Phone();
            Assert.Equal(phone.Contact, Assert.Single(Module.Run("Get-SipRegistration").Select(r => (SipRegistration)r.BaseObject), r => r.Aor == phone.Name).Contact);
            SipGateway[] trunks = [.. Module.Run("Get-SipGateway").Select(g => (SipGateway)g.BaseObject)];
            Assert.Equal(3, trunks.Count(g => g.Name.StartsWith("1/sip:", StringComparison.Ordinal) || g.Name.StartsWith("2/sip:", StringComparison.Ordinal)));
            SipStatistic counters = Module.Run<SipStatistic>("Get-SipStatistic");
            Assert.NotNull(counters.ProcessedCalls);
            Assert.NotNull(counters.StartedAt);
            Assert.NotNull(Module.Run<SipServerHealth>("Test-SipServer").Uptime);
            Assert.StartsWith("Kamailio 5.6", Module.Run<SipServer>("Get-SipServer").Version, StringComparison.Ordinal);
            Assert.False(Module.Run<SipCommandResult>("Invoke-SipCommand no.such -Confirm:$false").Success);
        }

        [KamailioTheory]
        [InlineData("-ApiKey wrong", true)]
        [InlineData("-ApiKey test-token-1", false)]
        public void A_token(string login, bool wrong)
        {
            using var module = new ModuleRunspace();
            string key = login.Split(' ')[1];
            string connect = $"param($k) Connect-SipServer 127.0.0.1 -Type Kamailio -Port {Text(Server.Port)} -ApiKey $k -Path /bearer/RPC";
            System.Security.SecureString secret = new System.Net.NetworkCredential("", key).SecurePassword;
            if (wrong) Assert.DoesNotContain("wrong", module.Fails("SipAuthenticationFailed", connect, secret).Exception.Message, StringComparison.Ordinal);
            else module.Run(connect, secret);
        }

        [KamailioFact]
        public void The_server_is_gone_and_back()
        {
            SipCall stays = Up(Phone(), Phone().Name);
            SipPhone leaves = Phone();
            SipCall ends = Up(leaves, Phone().Name);
            _relay!.Cut();
            Eventually(() => Module.Run<SipServer>("Get-SipServer").State == ConnectionState.Reconnecting, "it is seen to be gone");
            Fails(stays, "SipServerNotConnected", "Stop-SipCall");
            leaves.HangUp();
            _relay.Mend();
            Eventually(() => Module.Run<SipServer>("Get-SipServer").State == ConnectionState.Connected, "it is back");
            Assert.Equal(CallState.Connected, Now(stays).State);
            Assert.Equal(CallState.Terminated, WaitForEnd(ends).State);
            Assert.Equal(HangupCause.NormalClearing, Stop(stays).Cause);
        }

        private void Connect() => Module.Run("Get-SipServer");

        private SipPhone Phone()
        {
            var phone = new SipPhone("t" + Guid.NewGuid().ToString("N")[..8], LiveKamailio.SipPort);
            _phones.Add(phone);
            Assert.True(Module.Run<SipCommandResult>("param($a, $c) Invoke-SipCommand ul.add ([ordered]@{ 1 = 'location'; 2 = $a; 3 = $c; 4 = 0; 5 = '1.0'; 6 = ''; 7 = 0; 8 = 0; 9 = 0 }) -Confirm:$false", phone.Name, phone.Contact).Success);
            return phone;
        }

        private SipCall Up(SipPhone from, string to)
        {
            Connect();
            from.Call(to);
            return Seen(from, c => c.State == CallState.Connected);
        }

        private SipCall Seen(SipPhone from, Func<SipCall, bool> condition)
        {
            SipCall? found = null;
            Eventually(() => (found = Array.Find(Calls(Module.Run("Get-SipCallStatus")), c => c.From == from.Name && condition(c))) is not null, "the call is seen");
            return found!;
        }

        private SipCall Ended(SipPhone from, string sipCallId)
        {
            SipCall? found = null;
            Eventually(() => (found = Array.Find(Calls(Module.Run("Get-SipCallHistory")), c => c.From == from.Name)) is not null, $"the end of {sipCallId} is seen");
            return found!;
        }

        private static void Eventually(Func<bool> condition, string what)
        {
            DateTime end = DateTime.UtcNow.AddSeconds(20);
            while (!condition())
            {
                Assert.True(DateTime.UtcNow < end, what);
                Thread.Sleep(20);
            }
        }

        private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }
}

namespace IfBus.Sip.Tests.Support
{
    /// <summary>The real Kamailio named by the environment; tests/Live/kamailio.sh prints the variables.</summary>
    internal static class LiveKamailio
    {
        /// <summary>Why the tests are skipped, or null.</summary>
        public static string? Missing { get; } =
            Variable("PORT") is null ? "no real Kamailio here: IFBUS_KAMAILIO_PORT is not set; eval \"$(tests/Live/kamailio.sh start DIR)\" starts one" : null;

        public static ContractServer Contract => new(Variable("HOST") ?? "127.0.0.1", int.Parse(Variable("PORT")!, CultureInfo.InvariantCulture), "none", "");

        public static int SipPort => int.Parse(Variable("SIP_PORT")!, CultureInfo.InvariantCulture);

        public static string Template => $"sip:{{0}}@127.0.0.1:{Variable("SIP_PORT")}";

        public static string Events => $"127.0.0.1:{Variable("EVENT_PORT")}";

        private static string? Variable(string name) => Environment.GetEnvironmentVariable("IFBUS_KAMAILIO_" + name) is { Length: > 0 } value ? value : null;
    }

    /// <summary>A test that needs a real Kamailio; skipped with a reason where there is none.</summary>
    public sealed class KamailioFactAttribute : FactAttribute
    {
        public KamailioFactAttribute() => Skip = LiveKamailio.Missing;
    }

    /// <summary>A test with data that needs a real Kamailio; skipped with a reason where there is none.</summary>
    public sealed class KamailioTheoryAttribute : TheoryAttribute
    {
        public KamailioTheoryAttribute() => Skip = LiveKamailio.Missing;
    }
}
