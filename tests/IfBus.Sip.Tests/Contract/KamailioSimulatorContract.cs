using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Contract;

/// <summary>The contract on the simulator of Kamailio 5.6.</summary>
public sealed class KamailioSimulatorContract : KamailioContract
{
    private readonly KamailioSimulator _simulator = KamailioSimulator.Start(new KamailioSimulatorOptions { User = "api", Secret = "test-secret", RingTime = TimeSpan.FromMilliseconds(50) });

    protected override ContractServer Server => new(_simulator.Host, _simulator.Port, _simulator.User, _simulator.Secret, _simulator);

    protected override string Events => _simulator.EventAddress;

    protected override string Template => "sip:{0}@127.0.0.1:5060";
}

/// <summary>The contract on the simulator of Kamailio 6.1.</summary>
public sealed class Kamailio6SimulatorContract : KamailioContract
{
    private readonly KamailioSimulator _simulator = KamailioSimulator.Start(new KamailioSimulatorOptions { Version = "6.1.5", PrettyFormat = false, RingTime = TimeSpan.FromMilliseconds(50) });

    protected override ContractServer Server => new(_simulator.Host, _simulator.Port, "none", "", _simulator);

    protected override string Events => _simulator.EventAddress;

    protected override string Template => "sip:{0}@127.0.0.1:5060";
}
