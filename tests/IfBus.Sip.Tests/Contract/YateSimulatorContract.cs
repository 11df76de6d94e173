using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Contract;

/// <summary>The contract of calls on the simulator of Yate 6.4.</summary>
public sealed class YateSimulatorContract : YateContract
{
    protected override ContractServer Server { get; } = Start();

    internal static ContractServer Start()
    {
        YateSimulator simulator = YateSimulator.Start();
        return new ContractServer(simulator.Host, simulator.Port, "nobody", "", simulator);
    }
}

/// <summary>The contract of calls that are up on the simulator of Yate 6.4.</summary>
public sealed class YateControlSimulatorContract : YateControlContract
{
    protected override ContractServer Server { get; } = YateSimulatorContract.Start();
}

/// <summary>The contract of hold by re-INVITE on the simulator of Yate 6.4.</summary>
public sealed class YateReinviteSimulatorContract : YateReinviteContract
{
    protected override ContractServer Server { get; } = YateSimulatorContract.Start();

    protected override string RefusingPhone => "4901";
}
