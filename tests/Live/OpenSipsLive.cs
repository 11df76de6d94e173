using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests
{
    /// <summary>The contract on a real OpenSIPS 3.6, and what only real phones show.</summary>
    public sealed class OpenSipsLive : OpenSipsContract
    {
        private readonly List<SipPhone> _phones = [];

        protected override ContractServer Server => LiveOpenSips.Contract;

        protected override string Phone(string kind)
        {
            var phone = new SipPhone($"t{kind}{Guid.NewGuid().ToString("N")[..6]}", LiveOpenSips.SipPort, kind switch { "busy" => "486", "reject" => "603", "notfound" => "404", "ring" => "ring", "noreplaces" => "noreplaces", _ => "answer" });
            _phones.Add(phone);
            Register(phone.Name, phone.Contact);
            return phone.Name;
        }

        protected override string Dial(string from, string to) => Real(from).Call(to);

        protected override void HangUp(string phone)
        {
            // The server may know of the answer before the phone that called does.
            Assert.True(SpinWait.SpinUntil(() => Real(phone).Talking > 0, TimeSpan.FromSeconds(10)), $"{phone} never talked");
            Real(phone).HangUp();
        }

        protected override void GiveUp(string phone, string callId) => Real(phone).Cancel(callId);

        protected override int Talking(string phone) => Real(phone).Talking;

        [OpenSipsFact]
        public void Held_phones_get_inactive_and_sendrecv_again()
        {
            (string a, string b) = (Phone("answer"), Phone("answer"));
            SipCall call = Up(a, b);
            Change(call, "Suspend-SipCall");
            foreach (string name in (string[])[a, b]) Assert.Contains("a=inactive", Until(name, "INVITE", r => r.Contains("a=inactive", StringComparison.Ordinal)), StringComparison.Ordinal);
            Change(call, "Resume-SipCall");
            foreach (string name in (string[])[a, b])
            {
                string last = Until(name, "INVITE", r => !r.Contains("a=inactive", StringComparison.Ordinal) && r.Contains("To: ", StringComparison.Ordinal) && r.Contains(";tag=", StringComparison.Ordinal) && r.Contains("a=sendrecv", StringComparison.Ordinal));
                Assert.DoesNotContain("a=inactive", last, StringComparison.Ordinal);
            }

            Stop(call);
        }

        [OpenSipsFact]
        public void The_phones_are_told_the_cause()
        {
            (string a, string b) = (Phone("answer"), Phone("answer"));
            SipCall call = Up(a, b);
            Module.Run("param($c) $c | Stop-SipCall -Cause UserBusy", call);
            foreach (string name in (string[])[a, b]) Assert.Contains("Reason: Q.850;cause=17", Until(name, "BYE", _ => true), StringComparison.Ordinal);
        }

        [OpenSipsFact]
        public void The_INVITE_of_a_call_of_ours_has_no_header_more_than_it_must()
        {
            (string a, string b) = (Phone("answer"), Phone("answer"));
            SipCall call = Call($"-From {a} -To {b} -CallerId 'Ann Lee' -Variable @{{ note = 'x; y' }}");
            string[] known = ["Via", "To", "From", "CSeq", "Call-ID", "Content-Length", "Content-Type", "User-Agent", "Max-Forwards", "Contact", "Supported", "Allow"];
            foreach (string name in (string[])[a, b])
            {
                string invite = Until(name, "INVITE", _ => true);
                string[] headers = [.. invite.Split("\r\n\r\n")[0].Split("\r\n").Skip(1).Select(l => l.Split(':')[0])];
                Assert.All(headers, h => Assert.Contains(h, known));
            }

            Stop(call);
        }

        [OpenSipsFact]
        public void A_transferred_phone_is_told_by_REFER_where_to()
        {
            (string a, string b, string c) = (Phone("answer"), Phone("answer"), Phone("answer"));
            SipCall call = Up(a, b);
            SipCall moved = Change(call, $"Move-SipCall -To {c}");
            Assert.Contains($"sip:{c}@", Until(a, "REFER", _ => true), StringComparison.Ordinal);
            Assert.Empty(Real(b).Requests("REFER"));
            Assert.Equal((CallState.Connected, c), (moved.State, moved.To));
            Stop(moved);
        }

        [OpenSipsFact]
        public void Between_two_phones_of_SIPp()
        {
            using var one = new Sipp("proxy-answer");
            using var other = new Sipp("proxy-answer");
            foreach (Sipp phone in (Sipp[])[one, other]) Register(phone.Name, phone.Contact);
            SipCall call = Call($"-From {one.Name} -To {other.Name}");
            AssertAnswered(call);
            Assert.Equal(2, call.Legs.Count);
            Stop(call);
        }

        [OpenSipsFact]
        public void Five_hundred_dialogs_listed_and_ended()
        {
            const int Count = 500;
            using var far = new Sipp("proxy-answer");
            Register(far.Name, far.Contact);
            using var callers = new Sipp("proxy-call-wait", "-m", "500", "-r", "150", "-l", "500", "-s", far.Name, "-key", "number", far.Name, $"127.0.0.1:{LiveOpenSips.SipPort.ToString(CultureInfo.InvariantCulture)}");
            SipCall[] calls = [];
            DateTime end = DateTime.UtcNow.AddSeconds(40);
            while (calls.Length < Count)
            {
                calls = [.. Calls(Module.Run("Get-SipCallStatus -State Connected")).Where(c => c.To == far.Name)];
                Assert.True(DateTime.UtcNow < end, $"{calls.Length} dialogs only");
            }

            Assert.Equal(Count, calls.Select(c => c.CallId).Distinct().Count());
            SipCall[] ended = Calls(Module.Run("param($c) $c | Stop-SipCall -PassThru", new object[] { calls }));
            Assert.Equal(Count, ended.Length);
            Assert.All(ended, c => Assert.Equal((CallState.Terminated, HangupCause.NormalClearing), (c.State, c.Cause)));
            Assert.DoesNotContain(Calls(Module.Run("Get-SipCallStatus")), c => c.To == far.Name);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                foreach (SipPhone phone in _phones) Module.Try("param($a) Invoke-SipCommand ul_rm @{ 1 = 'location'; 2 = $a } -Confirm:$false", phone.Name);
            }

            base.Dispose(disposing);
            _phones.ForEach(p => p.Dispose());
        }

        private void Register(string name, string contact) =>
            Assert.True(Module.Run<SipCommandResult>("param($a, $c) Invoke-SipCommand ul_add @{ 1 = 'location'; 2 = $a; 3 = $c; 4 = 0; 5 = '=1.0'; 6 = 0; 7 = 0; 8 = 0 } -Confirm:$false", name, contact).Success);

        private SipPhone Real(string name) => _phones.Single(p => p.Name == name);

        private string Until(string phone, string method, Func<string, bool> condition)
        {
            DateTime end = DateTime.UtcNow.AddSeconds(10);
            while (true)
            {
                if (Real(phone).Requests(method).FindLast(m => condition(m)) is { } found) return found;
                Assert.True(DateTime.UtcNow < end, $"{phone} got no such {method}: {string.Join("\n", Real(phone).Requests(method))}");
                Thread.Sleep(20);
            }
        }
    }

    /// <summary>A SIPp of a test's own.</summary>
    internal sealed class Sipp : IDisposable
    {
        private readonly Process _process;

        public Sipp(string scenario, params string[] more)
        {
            Port = FreePort();
            var start = new ProcessStartInfo("sipp", ["-sf", Path.Combine(Repository.Root, "tests", "Live", "sipp", scenario + ".xml"), "-i", "127.0.0.1", "-p", Text(Port), "-mi", "127.0.0.1", "-mp", Text(FreePort()), "-nostdin", .. more])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = Path.GetTempPath(),
            };
            _process = Process.Start(start)!;
            _process.OutputDataReceived += (_, _) => { };
            _process.ErrorDataReceived += (_, _) => { };
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
        }

        public int Port { get; }

        public string Name { get; } = "s" + Guid.NewGuid().ToString("N")[..8];

        public string Contact => $"sip:{Name}@127.0.0.1:{Text(Port)}";

        public void Dispose()
        {
            if (!_process.HasExited) _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
        }

        private static int FreePort()
        {
            using var socket = new UdpClient(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
            return ((System.Net.IPEndPoint)socket.Client.LocalEndPoint!).Port & ~1;
        }

        private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }
}

namespace IfBus.Sip.Tests.Support
{
    /// <summary>The real OpenSIPS named by the environment; README.md says what it must have.</summary>
    internal static class LiveOpenSips
    {
        /// <summary>Why the tests are skipped, or null.</summary>
        public static string? Missing { get; } = Variable("PORT") is null ? "no real OpenSIPS here: IFBUS_OPENSIPS_PORT is not set; README.md says what it must have" : null;

        public static ContractServer Contract => new(Variable("HOST") ?? "127.0.0.1", int.Parse(Variable("PORT")!, CultureInfo.InvariantCulture), "none", "");

        public static int SipPort => int.Parse(Variable("SIP_PORT") ?? "5062", CultureInfo.InvariantCulture);

        private static string? Variable(string name) => Environment.GetEnvironmentVariable("IFBUS_OPENSIPS_" + name) is { Length: > 0 } value ? value : null;
    }

    /// <summary>A test that needs a real OpenSIPS; skipped with a reason where there is none.</summary>
    public sealed class OpenSipsFactAttribute : FactAttribute
    {
        public OpenSipsFactAttribute() => Skip = LiveOpenSips.Missing;
    }

    /// <summary>A test with data that needs a real OpenSIPS; skipped with a reason where there is none.</summary>
    public sealed class OpenSipsTheoryAttribute : TheoryAttribute
    {
        public OpenSipsTheoryAttribute() => Skip = LiveOpenSips.Missing;
    }
}
