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
        public void A_call_that_rings_is_ended_by_us_from_6_1_on_and_the_caller_gives_up()
        {
            SipPhone a = Phone();
            Connect();
            string id = a.Call("ring");
            SipCall call = Seen(a, c => c.State == CallState.Ringing);
            if (!Module.Run<SipServer>("Get-SipServer").Version!.StartsWith("Kamailio 5", StringComparison.Ordinal))
            {
                SipCall ours = Stop(call);
                Assert.Equal((CallState.Terminated, HangupCause.NormalClearing, "us", null), (ours.State, ours.Cause, ours.Details["EndedBy"], ours.AnsweredAt));
                Eventually(() => a.Received.Any(m => m.StartsWith("SIP/2.0 487", StringComparison.Ordinal)), "the caller is told");
                Assert.DoesNotContain(Calls(Module.Run("Get-SipCallStatus")), c => c.From == a.Name);
                return;
            }

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
            Assert.Matches("^Kamailio (5\\.6|6\\.1)", Module.Run<SipServer>("Get-SipServer").Version);
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

        [KamailioFact]
        public void A_restart_in_mid_call_ends_the_calls_and_is_told()
        {
            SipCall first = Up(Phone(), Phone().Name);
            SipCall made = Call("-From refer -To answer");
            LiveKamailio.Restart();
            foreach (SipCall call in (SipCall[])[first, made])
            {
                SipCall ended = WaitForEnd(call);
                Assert.Equal((CallState.Terminated, HangupCause.ServerRestarted), (ended.State, ended.Cause));
                Assert.Null(ended.SipStatus);
            }

            Eventually(() => Module.Run<SipServer>("Get-SipServer") is { State: ConnectionState.Connected, Reconnects: > 0 }, "it is back");
            SipCall again = Call("-From refer -To answer");
            Assert.Equal(CallState.Connected, again.State);
            Assert.Equal(HangupCause.NormalClearing, Stop(again).Cause);
        }

        [KamailioFact]
        public void Five_hundred_calls_are_listed_and_ended()
        {
            Connect();
            var sipp = new System.Diagnostics.ProcessStartInfo("sipp",
            [
                "-sf", Path.Combine(Repository.Root, "tests", "Live", "sipp", "proxy-call-wait.xml"), "-s", "answer", "-i", "127.0.0.1", "-p", Text(LiveKamailio.FarEndPort + 14),
                "-cp", Text(LiveKamailio.FarEndPort + 34), "-m", "500", "-r", "100", "-l", "500", "-nostdin", $"127.0.0.1:{Text(LiveKamailio.SipPort)}",
            ])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var callers = System.Diagnostics.Process.Start(sipp)!;
            try
            {
                callers.OutputDataReceived += static (_, _) => { };
                callers.ErrorDataReceived += static (_, _) => { };
                callers.BeginOutputReadLine();
                callers.BeginErrorReadLine();
                SipCall[] up = [];
                Eventually(() => (up = [.. Calls(Module.Run("Get-SipCallStatus")).Where(c => c is { From: "caller", To: "answer", State: CallState.Connected })]).Length == 500, "500 calls are connected");
                Assert.Equal(500, up.Select(c => c.CallId).Distinct().Count());
                Assert.All(up, c => Assert.Equal(2, c.Legs.Count));
                SipCall[] ended = Calls(Module.Run("param($c) $c | Stop-SipCall -PassThru", [up]));
                Assert.Equal(500, ended.Count(c => c is { State: CallState.Terminated, Cause: HangupCause.NormalClearing }));
                // Every one of them has got its BYE.
                Assert.True(callers.WaitForExit(TimeSpan.FromSeconds(30)), "the callers have ended");
                Assert.Equal(0, callers.ExitCode);
                Assert.DoesNotContain(Calls(Module.Run("Get-SipCallStatus")), c => c.From == "caller");
            }
            finally
            {
                if (!callers.HasExited) callers.Kill();
            }
        }

        [KamailioFact]
        public void A_call_of_ours_carries_no_header_that_was_not_asked_for()
        {
            SipPhone phone = Phone();
            Connect();
            // Nobody is at that number; what counts is what the phone was sent.
            Module.Run($"New-SipCall -From {phone.Name} -To 'a*b#1.x~2'".Replace("~2", "-2", StringComparison.Ordinal));
            Eventually(() => phone.Requests("REFER").Count > 0, "the phone is told whom to call");
            static string[] Names(string message) => [.. message.Split("\r\n\r\n")[0].Split("\r\n").Skip(1).Select(l => l.Split(':')[0]).Distinct().Order(StringComparer.Ordinal)];
            Assert.Equal(["CSeq", "Call-ID", "Contact", "Content-Length", "Content-Type", "From", "Max-Forwards", "Record-Route", "To", "User-Agent", "Via"], Names(phone.Requests("INVITE")[0]));
            string refer = phone.Requests("REFER")[0];
            Assert.Contains($"\r\nRefer-To: sip:a*b%231.x-2@127.0.0.1:{Text(LiveKamailio.SipPort)}\r\n", refer, StringComparison.Ordinal);
            Assert.DoesNotContain("Replaces", refer, StringComparison.Ordinal);
        }

        [KamailioFact]
        public void Tls_with_the_servers_own_authority()
        {
            using var module = new ModuleRunspace();
            const string Connect = "param($p, $t) Connect-SipServer 127.0.0.1 -Type Kamailio -Port $p -UseTls @t";
            module.Fails("SipCertificateNotTrusted", Connect, LiveKamailio.TlsPort, new Hashtable());
            Assert.True(module.Run<SipServer>(Connect, LiveKamailio.TlsPort, new Hashtable { ["CertificateAuthority"] = LiveKamailio.Authority }).Tls);
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

        /// <summary>Ends the server and starts it again; its far ends stay.</summary>
        public static void Restart()
        {
            var start = new System.Diagnostics.ProcessStartInfo(Path.Combine(Repository.Root, "tests", "Live", "kamailio.sh"), ["restart", Variable("DIR")!]) { RedirectStandardOutput = true, RedirectStandardError = true };
            using var script = System.Diagnostics.Process.Start(start)!;
            Task<string> said = script.StandardError.ReadToEndAsync();
            _ = script.StandardOutput.ReadToEndAsync();
            Assert.True(script.WaitForExit(TimeSpan.FromSeconds(60)), "kamailio.sh has not ended");
            Assert.True(script.ExitCode == 0, said.Result);
        }

        public static int SipPort => int.Parse(Variable("SIP_PORT")!, CultureInfo.InvariantCulture);

        public static int FarEndPort => int.Parse(Variable("SIPP_PORT")!, CultureInfo.InvariantCulture);

        public static int TlsPort => int.Parse(Variable("TLS_PORT")!, CultureInfo.InvariantCulture);

        public static string Authority => Variable("CA")!;

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
