using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Contract;

/// <summary>The contract on the simulator of Asterisk 22.</summary>
public sealed class AsteriskSimulatorContract : SimulatedCalls
{
    public AsteriskSimulatorContract()
        : base("22.10.1")
    {
    }
}

/// <summary>The contract on the simulator of Asterisk 16.</summary>
public sealed class Asterisk16SimulatorContract : SimulatedCalls
{
    public Asterisk16SimulatorContract()
        : base("16.28.0")
    {
    }
}

/// <summary>The contract on a simulator.</summary>
public abstract class SimulatedCalls(string version) : CallContract
{
    private readonly AsteriskSimulator _simulator = AsteriskSimulator.Start(new AsteriskSimulatorOptions { Version = version });

    protected override ContractServer Server => new(_simulator.Host, _simulator.Port, _simulator.User, _simulator.Secret);

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _simulator.Dispose();
    }
}

/// <summary>The contract of call control on the simulator of Asterisk 22.</summary>
public sealed class AsteriskSimulatorControl : SimulatedControl
{
    public AsteriskSimulatorControl()
        : base("22.10.1")
    {
    }
}

/// <summary>The contract of call control on the simulator of Asterisk 16.</summary>
public sealed class Asterisk16SimulatorControl : SimulatedControl
{
    public Asterisk16SimulatorControl()
        : base("16.28.0")
    {
    }
}

/// <summary>The contract of call control on a simulator.</summary>
public abstract class SimulatedControl(string version) : ControlContract
{
    private readonly AsteriskSimulator _simulator = AsteriskSimulator.Start(new AsteriskSimulatorOptions { Version = version });

    protected override ContractServer Server => new(_simulator.Host, _simulator.Port, _simulator.User, _simulator.Secret);

    protected override void AssertMuted(IReadOnlyCollection<string> recordingIds) => Assert.Equal(recordingIds.Order(), _simulator.MutedRecordings.Order());

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _simulator.Dispose();
    }
}
