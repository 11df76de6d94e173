using System.Globalization;
using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests
{
    /// <summary>The contract on a real Yate.</summary>
    public sealed class YateLive : YateContract
    {
        protected override ContractServer Server => LiveYate.Contract;
    }
}

namespace IfBus.Sip.Tests.Support
{
    /// <summary>The real Yate named by the environment; README.md says what it must have.</summary>
    internal static class LiveYate
    {
        /// <summary>Why the tests are skipped, or null.</summary>
        public static string? Missing { get; } = Variable("PORT") is null ? "no real Yate here: IFBUS_YATE_PORT is not set; README.md says what it must have" : null;

        public static ContractServer Contract => new(Variable("HOST") ?? "127.0.0.1", int.Parse(Variable("PORT")!, CultureInfo.InvariantCulture), "nobody", "");

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
}
