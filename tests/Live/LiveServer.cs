using System.Globalization;
using IfBus.Sip.Tests.Contract;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace IfBus.Sip.Tests.Support;

/// <summary>The real Asterisk named by the environment; tests/Live/asterisk.sh prints the variables.</summary>
internal static class LiveServer
{
    /// <summary>Why the tests are skipped, or null.</summary>
    public static string? Missing { get; } =
        Variable("PORT") is null ? "no real Asterisk here: IFBUS_ASTERISK_PORT is not set; eval \"$(tests/Live/asterisk.sh start DIR)\" starts one" : null;

    public static string Host => Variable("HOST") ?? "127.0.0.1";

    public static int Port => int.Parse(Variable("PORT")!, CultureInfo.InvariantCulture);

    public static int TlsPort => int.Parse(Variable("TLS_PORT")!, CultureInfo.InvariantCulture);

    /// <summary>File with the certificate that signed the server's.</summary>
    public static string Authority => Variable("CA")!;

    public static ContractServer Contract => new(Host, Port, Variable("USER")!, Variable("SECRET")!);

    public static int SipPort => int.Parse(Variable("SIP_PORT")!, CultureInfo.InvariantCulture);

    /// <summary>Port of the first far end; those that tests play themselves come after it.</summary>
    public static int FarEndPort => int.Parse(Variable("SIPP_PORT")!, CultureInfo.InvariantCulture);

    /// <summary>The server's recording folder, as this machine sees it.</summary>
    public static string MonitorFolder => Variable("MONITOR")!;

    /// <summary>After a start the server has yet to find out who is there and who is not; all tests count on it.</summary>
    public static void WaitForFarEnds(ModuleRunspace module)
    {
        string[] gone = ["sipp-nocontact", "sipp-unreach"];
        DateTime end = DateTime.UtcNow.AddSeconds(60);
        while (!module.Run("Get-SipGateway sipp-*").Select(g => (SipGateway)g.BaseObject).Where(g => !g.Available).Select(g => g.Name).Order(StringComparer.Ordinal).SequenceEqual(gone))
            Assert.True(DateTime.UtcNow < end, "the server has not found out who is there");
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable("IFBUS_ASTERISK_" + name) is { Length: > 0 } value ? value : null;
}

/// <summary>A test that needs the real server; skipped with a reason where there is none.</summary>
public sealed class ServerFactAttribute : FactAttribute
{
    public ServerFactAttribute() => Skip = LiveServer.Missing;
}

/// <summary>A test with data that needs the real server; skipped with a reason where there is none.</summary>
public sealed class ServerTheoryAttribute : TheoryAttribute
{
    public ServerTheoryAttribute() => Skip = LiveServer.Missing;
}
