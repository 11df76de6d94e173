using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Contract;

/// <summary>The contract on the simulator of FlexiAPI 2.1.</summary>
public sealed class Flexisip21SimulatorContract : FlexisipContract
{
    protected override FlexisipServer Server { get; } = FlexisipSimulators.Start("2.1");
}

/// <summary>The contract on the simulator of FlexiAPI 2.0.</summary>
public sealed class Flexisip20SimulatorContract : FlexisipContract
{
    protected override FlexisipServer Server { get; } = FlexisipSimulators.Start("2.0.7");
}

internal static class FlexisipSimulators
{
    public static FlexisipServer Start(string version)
    {
        string foreign = new('f', 40), plain = new('p', 40), expired = new('e', 40);
        FlexisipSimulator simulator = FlexisipSimulator.Start(new FlexisipSimulatorOptions
        {
            Version = version,
            Spaces =
            [
                new FlexisipSimulatorSpace { Domain = "sip.example.com", Host = "example.com", Super = true },
                new FlexisipSimulatorSpace { Domain = "sip.expired.example", Host = "expired.example.com", ExpiresAt = DateTime.UtcNow.AddDays(-1) },
            ],
            Accounts =
            [
                new FlexisipSimulatorAccount { Address = "plain@sip.example.com", Password = "plainpw", ApiKey = plain, Algorithms = ["SHA-256", "MD5"] },
                new FlexisipSimulatorAccount { Address = "admin@sip.expired.example", Admin = true, ApiKey = expired },
                new FlexisipSimulatorAccount { Address = "foreign@sip.example.com", Admin = true, ApiKey = foreign, ApiKeyAddress = "203.0.113.9" },
            ],
        });
        return new FlexisipServer
        {
            Host = simulator.Host,
            Port = simulator.Port,
            Space = "example.com",
            Domain = "sip.example.com",
            Key = simulator.Secret,
            Plain = (plain, "plain@sip.example.com", "plainpw"),
            ForeignKey = foreign,
            Expired = ("expired.example.com", expired),
            Register = simulator.RegisterDevice,
            Requests = () => simulator.Requests,
            Simulator = simulator,
        };
    }
}
