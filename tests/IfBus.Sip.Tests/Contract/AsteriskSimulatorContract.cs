using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Contract;

/// <summary>The contract on the simulator of Asterisk 22.</summary>
public sealed class AsteriskSimulatorContract : CallContract
{
    private readonly AsteriskSimulator _simulator = AsteriskSimulator.Start();

    protected override ContractServer Server => new(_simulator.Host, _simulator.Port, _simulator.User, _simulator.Secret);

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _simulator.Dispose();
    }
}

/// <summary>The contract of call control on the simulator of Asterisk 22.</summary>
public sealed class AsteriskSimulatorControl : ControlContract
{
    private readonly AsteriskSimulator _simulator = AsteriskSimulator.Start();

    protected override ContractServer Server => new(_simulator.Host, _simulator.Port, _simulator.User, _simulator.Secret);

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _simulator.Dispose();
    }
}
