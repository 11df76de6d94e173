using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests
{
    /// <summary>The contract on a real FreeSWITCH.</summary>
    public sealed class FreeSwitchLive : FreeSwitchContract
    {
        protected override ContractServer Server => LiveFreeSwitch.Contract;
    }

    /// <summary>The contract of call control on a real FreeSWITCH.</summary>
    public sealed class FreeSwitchControl : FreeSwitchControlContract
    {
        protected override ContractServer Server => LiveFreeSwitch.Contract;
    }

    /// <summary>What phones really get, and say: not our object is asked, but the far end.</summary>
    public sealed class FreeSwitchFarEnds : FreeSwitchServerContract
    {
        protected override ContractServer Server => LiveFreeSwitch.Contract;

        [FreeSwitchFact]
        public void Digits_arrive_at_the_far_end_in_order()
        {
            using var ear = new Ear();
            using FarEnd phone = FarEnd.Open("digits", "-key", "ear", ear.Port);
            string to = Endpoint(phone);
            SipCall call = Call($"-From 5 -To {to}");
            AssertAnswered(call);
            Module.Run("param($c) $c | Send-SipDtmf '1590*#ABCD'", call);
            Eventually(() => ear.Digits.Length >= 10, "all digits have come");
            AssertStopped(call, "5", to);
            Assert.Equal(0, phone.WaitForEnd());
            Assert.Equal("1590*#ABCD", ear.Digits);
        }

        [FreeSwitchTheory]
        [InlineData(true)]
        [InlineData(false)]
        public void Connected_is_when_the_phone_has_answered_not_before(bool called)
        {
            using FarEnd phone = FarEnd.Open("answer");
            string traced = Endpoint(phone);
            (string from, string to) = called ? ("5", traced) : (traced, "sofia/gateway/answer/1");
            SipCall call = Call($"-From {from} -To {to}");
            AssertAnswered(call);
            // By clocks that FreeSWITCH and SIPp read for themselves.
            Assert.InRange((call.AnsweredAt!.Value - phone.AnsweredAt).TotalSeconds, -0.05, 5);
            AssertStopped(call, from, to);
        }

        private static string Endpoint(FarEnd phone) => string.Create(CultureInfo.InvariantCulture, $"sofia/internal/7@{LiveFreeSwitch.Contract.Host}:{phone.Port}");
    }

    /// <summary>The contract of trouble on a real FreeSWITCH, with phones of its own.</summary>
    public sealed partial class FreeSwitchTroubleLive : FreeSwitchTroubleContract
    {
        private readonly List<FarEnd> _phones = [];

        protected override ContractServer Server => LiveFreeSwitch.Contract;

        protected override string EarlyThenBusy => $"sofia/internal/1@{LiveFreeSwitch.Contract.Host}:{Phone("earlybusy").Port}";

        protected override string Refusing(int status)
        {
            if (_phones.Count == 0) Phone(Refusals(), "-m", "1000");
            return string.Create(CultureInfo.InvariantCulture, $"sofia/internal/status{status}@{LiveFreeSwitch.Contract.Host}:{_phones[0].Port}");
        }

        protected override ICaller CallIn(string number)
        {
            // "URL  sip:mod_sofia@127.0.0.1:5060"
            Match url = SipAddress().Match(Api("sofia", "status", "profile", "internal"));
            Assert.True(url.Success, "the server has no sofia profile internal");
            return new Caller(FarEnd.CallTo(number, url.Groups[1].Value));
        }

        protected override void Kill()
        {
            LiveFreeSwitch.Run("STOP", "kill");
            LiveFreeSwitch.Run("START");
        }

        protected override void StartAgain()
        {
            // It ends by itself; this waits for it.
            LiveFreeSwitch.Run("STOP");
            LiveFreeSwitch.Run("START");
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (disposing) _phones.ForEach(p => p.Dispose());
        }

        private FarEnd Phone(string scenario, params string[] more)
        {
            FarEnd phone = FarEnd.Open(scenario, more);
            _phones.Add(phone);
            return phone;
        }

        // SIPp wants to see each status that it may send: one branch each, by the number that was called.
        private static string Refusals()
        {
            var tests = new StringBuilder();
            var answers = new StringBuilder();
            foreach (int status in Statuses)
            {
                tests.Append(CultureInfo.InvariantCulture, $"""<ereg regexp="sip:status{status}@" search_in="hdr" header="To:" assign_to="s{status}"/>""");
                answers.Append(CultureInfo.InvariantCulture, $"""
                    <label id="a{status}"/>
                    <send retrans="500" next="ack"><![CDATA[

                    SIP/2.0 {status} Refused
                    [last_Via:]
                    [last_From:]
                    [last_To:];tag=[pid]SIPpTag01[call_number]
                    [last_Call-ID:]
                    [last_CSeq:]
                    Content-Length: 0

                    ]]></send>

                    """);
            }

            string jumps = string.Concat(Statuses.Select(s => $"""<nop next="a{s}" test="s{s}"/>"""));
            return $"""<?xml version="1.0" encoding="ISO-8859-1" ?><scenario name="refusals"><recv request="INVITE"><action>{tests}</action></recv>{jumps}{answers}<label id="ack"/><recv request="ACK"/></scenario>""";
        }

        [GeneratedRegex(@"^URL\s+sip:mod_sofia@(\S+?)\s*$", RegexOptions.Multiline)]
        private static partial Regex SipAddress();

        private sealed class Caller(FarEnd phone) : ICaller
        {
            public int? WaitForEnd()
            {
                int code = phone.WaitForEnd();
                string[] received = [.. phone.Parts(received: true)];
                if (received.Any(p => p.StartsWith("BYE ", StringComparison.Ordinal)))
                {
                    Assert.Equal(0, code);
                    return 200;
                }

                string last = received.Last(p => p.StartsWith("SIP/2.0 ", StringComparison.Ordinal));
                return int.Parse(last.AsSpan(8, 3), CultureInfo.InvariantCulture);
            }

            public void Dispose() => phone.Dispose();
        }
    }
}

namespace IfBus.Sip.Tests.Support
{
    /// <summary>The real FreeSWITCH named by the environment; README.md says what it must have.</summary>
    internal static class LiveFreeSwitch
    {
        /// <summary>Why the tests are skipped, or null.</summary>
        public static string? Missing { get; } = Variable("PORT") is null ? "no real FreeSWITCH here: IFBUS_FREESWITCH_PORT is not set; README.md says what it must have" : null;

        /// <summary>Why tests that restart it are skipped, or null.</summary>
        public static string? NotStartable { get; } =
            Missing ?? (Variable("START") is null || Variable("STOP") is null ? "this FreeSWITCH is not restarted: IFBUS_FREESWITCH_START and IFBUS_FREESWITCH_STOP are not set; README.md says what they are" : null);

        public static ContractServer Contract => new(Variable("HOST") ?? "127.0.0.1", int.Parse(Variable("PORT")!, CultureInfo.InvariantCulture), Variable("USER") ?? "freeswitch", Variable("SECRET") ?? "ClueCon");

        /// <summary>Runs the program that starts or stops it, to its end.</summary>
        public static void Run(string what, params string[] arguments)
        {
            // Not redirected: the server that it starts would keep the pipes open.
            using Process process = Process.Start(new ProcessStartInfo(Variable(what)!, arguments))!;
            Assert.True(process.WaitForExit(TimeSpan.FromSeconds(90)), $"{what} did not end");
            Assert.Equal(0, process.ExitCode);
        }

        private static string? Variable(string name) => Environment.GetEnvironmentVariable("IFBUS_FREESWITCH_" + name) is { Length: > 0 } value ? value : null;
    }

    /// <summary>A test that needs a real FreeSWITCH; skipped with a reason where there is none.</summary>
    public sealed class FreeSwitchFactAttribute : FactAttribute
    {
        public FreeSwitchFactAttribute() => Skip = LiveFreeSwitch.Missing;
    }

    /// <summary>A test with data that needs a real FreeSWITCH; skipped with a reason where there is none.</summary>
    public sealed class FreeSwitchTheoryAttribute : TheoryAttribute
    {
        public FreeSwitchTheoryAttribute() => Skip = LiveFreeSwitch.Missing;
    }

    /// <summary>A test that restarts a real FreeSWITCH; skipped with a reason where that cannot be done.</summary>
    public sealed class FreeSwitchRestartFactAttribute : FactAttribute
    {
        public FreeSwitchRestartFactAttribute() => Skip = LiveFreeSwitch.NotStartable;
    }
}
