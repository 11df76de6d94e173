using System.Globalization;
using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests
{
    /// <summary>The contract on a real FreeSWITCH.</summary>
    public sealed class FreeSwitchLive : FreeSwitchContract
    {
        protected override ContractServer Server => LiveFreeSwitch.Contract;
    }
}

namespace IfBus.Sip.Tests.Support
{
    /// <summary>The real FreeSWITCH named by the environment; README.md says what it must have.</summary>
    internal static class LiveFreeSwitch
    {
        /// <summary>Why the tests are skipped, or null.</summary>
        public static string? Missing { get; } = Variable("PORT") is null ? "no real FreeSWITCH here: IFBUS_FREESWITCH_PORT is not set; README.md says what it must have" : null;

        public static ContractServer Contract => new(Variable("HOST") ?? "127.0.0.1", int.Parse(Variable("PORT")!, CultureInfo.InvariantCulture), Variable("USER") ?? "freeswitch", Variable("SECRET") ?? "ClueCon");

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
}
