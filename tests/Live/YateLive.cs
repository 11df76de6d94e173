using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests
{
    /// <summary>The contract of calls on a real Yate.</summary>
    public sealed class YateLive : YateContract
    {
        protected override ContractServer Server => LiveYate.Contract;
    }

    /// <summary>The contract of calls that are up on a real Yate.</summary>
    public sealed class YateLiveControl : YateControlContract
    {
        protected override ContractServer Server => LiveYate.Contract;
    }

    /// <summary>The contract of trouble on a real Yate, with phones of its own.</summary>
    public sealed class YateLiveTrouble : YateTroubleContract
    {
        private readonly List<SipPhone> _phones = [];

        protected override ContractServer Server => LiveYate.Contract;

        protected override string HoldingPhone
        {
            get
            {
                var phone = new SipPhone("hold", LiveYate.SipPort);
                _phones.Add(phone);
                return "sip/sip:" + phone.Address;
            }
        }

        protected override ICaller CallIn(string number)
        {
            Module.Run("Get-SipServer");
            return new Caller(FarEnd.CallTo(number, $"{LiveYate.Contract.Host}:{LiveYate.SipPort}"));
        }

        protected override void Hold(SipCall call, bool hold) => _phones.ForEach(p => p.Hold(hold));

        protected override void Restart()
        {
            LiveYate.Run("STOP");
            LiveYate.Run("START");
        }

        protected override void Kill()
        {
            LiveYate.Run("STOP", "kill");
            LiveYate.Run("START");
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (disposing) _phones.ForEach(p => p.Dispose());
        }

        private sealed class Caller(FarEnd phone) : ICaller
        {
            public int? WaitForEnd()
            {
                phone.WaitForEnd();
                string[] received = [.. phone.Parts(received: true)];
                if (received.Any(p => p.StartsWith("BYE ", StringComparison.Ordinal))) return 200;
                return int.Parse(received.Last(p => p.StartsWith("SIP/2.0 ", StringComparison.Ordinal)).AsSpan(8, 3), CultureInfo.InvariantCulture);
            }

            public void Dispose() => phone.Dispose();
        }
    }

    /// <summary>Other ports of the same real Yate: what a user is told who took the wrong one.</summary>
    public sealed class YateLivePorts
    {
        [YatePortFact("NOROLE_PORT")]
        public void A_listener_without_a_role_is_asked_for_one() => AssertOfUse("NOROLE_PORT");

        // Its client is not made a channel.
        [YatePortFact("CHANNEL_PORT")]
        public void A_listener_of_role_channel_is_as_good_as_another() => AssertOfUse("CHANNEL_PORT");

        [YatePortFact("RMANAGER_PORT")]
        public void The_telnet_manager_is_another_protocol()
        {
            using var module = new ModuleRunspace();
            ErrorRecord error = Fails(module, "RMANAGER_PORT");
            Assert.StartsWith("SipNotYate,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        }

        private static void AssertOfUse(string port)
        {
            using var module = new ModuleRunspace();
            SipServer server = module.Run<SipServer>("param($h, $p) Connect-SipServer $h -Type Yate -Port $p -Name port -ConnectTimeout 5", LiveYate.Contract.Host, LiveYate.Port(port));
            Assert.Equal(ConnectionState.Connected, server.State);
            SipCall call = module.Run<SipCall>("New-SipCall -From 4001 -To 4002 -Wait");
            Assert.Equal((CallState.Connected, 3), (call.State, call.Legs.Count));
            Assert.All(call.Legs, l => Assert.Contains('/', l.Id));
            Assert.Equal(CallState.OnHold, module.Run<SipCall>("param($c) $c | Suspend-SipCall -PassThru", call).State);
            Assert.Equal(CallState.Connected, module.Run<SipCall>("param($c) $c | Resume-SipCall -PassThru", call).State);
            Assert.Equal(CallState.Terminated, module.Run<SipCall>("param($c) $c | Stop-SipCall -PassThru", call).State);
        }

        private static ErrorRecord Fails(ModuleRunspace module, string port)
        {
            (_, IReadOnlyList<ErrorRecord> errors) = module.Try("param($h, $p) Connect-SipServer $h -Type Yate -Port $p -Name port -ConnectTimeout 3", LiveYate.Contract.Host, LiveYate.Port(port));
            return Assert.Single(errors);
        }
    }
}

namespace IfBus.Sip.Tests.Support
{
    /// <summary>The real Yate named by the environment; README.md says what it must have.</summary>
    internal static class LiveYate
    {
        /// <summary>Why the tests are skipped, or null.</summary>
        public static string? Missing { get; } = Variable("PORT") is null ? "no real Yate here: IFBUS_YATE_PORT is not set; README.md says what it must have" : null;

        /// <summary>Why tests that restart it are skipped, or null.</summary>
        public static string? NotStartable { get; } =
            Missing ?? (Variable("START") is null || Variable("STOP") is null ? "this Yate is not restarted: IFBUS_YATE_START and IFBUS_YATE_STOP are not set; README.md says what they are" : null);

        public static ContractServer Contract => new(Variable("HOST") ?? "127.0.0.1", Port("PORT"), "nobody", "");

        public static int SipPort => Variable("SIP_PORT") is null ? 5060 : Port("SIP_PORT");

        public static int Port(string name) => int.Parse(Variable(name)!, CultureInfo.InvariantCulture);

        /// <summary>Why a test of another port is skipped, or null.</summary>
        public static string? Lacks(string port) => Missing ?? (Variable(port) is null ? $"that port is not known: IFBUS_YATE_{port} is not set; README.md says what it is" : null);

        /// <summary>Runs the program that starts or stops it, to its end.</summary>
        public static void Run(string what, params string[] arguments)
        {
            // Not redirected: the server that it starts would keep the pipes open.
            using Process process = Process.Start(new ProcessStartInfo(Variable(what)!, arguments))!;
            Assert.True(process.WaitForExit(TimeSpan.FromSeconds(90)), $"{what} did not end");
            Assert.Equal(0, process.ExitCode);
        }

        private static string? Variable(string name) => Environment.GetEnvironmentVariable("IFBUS_YATE_" + name) is { Length: > 0 } value ? value : null;
    }

    /// <summary>A test that needs a real Yate; skipped with a reason where there is none.</summary>
    public sealed class YateFactAttribute : FactAttribute
    {
        public YateFactAttribute() => Skip = LiveYate.Missing;
    }

    /// <summary>A test with data that needs a real Yate; skipped with a reason where there is none.</summary>
    public sealed class YateTheoryAttribute : TheoryAttribute
    {
        public YateTheoryAttribute() => Skip = LiveYate.Missing;
    }

    /// <summary>A test that restarts a real Yate; skipped with a reason where that cannot be done.</summary>
    public sealed class YateRestartFactAttribute : FactAttribute
    {
        public YateRestartFactAttribute() => Skip = LiveYate.NotStartable;
    }

    /// <summary>A test of another port of a real Yate; skipped with a reason where it is not known.</summary>
    public sealed class YatePortFactAttribute : FactAttribute
    {
        public YatePortFactAttribute(string port) => Skip = LiveYate.Lacks(port);
    }
}
