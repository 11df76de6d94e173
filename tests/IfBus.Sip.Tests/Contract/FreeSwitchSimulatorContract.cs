using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Contract;

/// <summary>The contract on the simulator of FreeSWITCH 1.10.</summary>
public sealed class FreeSwitchSimulatorContract : FreeSwitchContract
{
    protected override ContractServer Server { get; } = SimulatedFreeSwitch.Start();

    protected override string[] Registered => ["1001@127.0.0.1 sip:1001@127.0.0.1:5062 Registered", "1002@127.0.0.1 sip:1002@127.0.0.1:5063 Registered"];
}

/// <summary>The contract of call control on the simulator of FreeSWITCH 1.10.</summary>
public sealed class FreeSwitchSimulatorControl : FreeSwitchControlContract
{
    protected override ContractServer Server { get; } = SimulatedFreeSwitch.Start();
}

/// <summary>The contract of logins on the simulator of FreeSWITCH 1.10.</summary>
public sealed class FreeSwitchSimulatorConnections : FreeSwitchConnectionContract
{
    protected override ContractServer Server { get; } = SimulatedFreeSwitch.Start(
        new FreeSwitchSimulatorUser { Name = "ops", Password = "ops-secret", AllowedEvents = "HEARTBEAT CHANNEL_CREATE CHANNEL_HANGUP_COMPLETE", AllowedApi = "status version show" });
}

/// <summary>Servers that are started for one test and stopped after it.</summary>
internal static class SimulatedFreeSwitch
{
    public static ContractServer Start(params FreeSwitchSimulatorUser[] users)
    {
        FreeSwitchSimulator simulator = FreeSwitchSimulator.Start(new FreeSwitchSimulatorOptions { Users = users });
        return new ContractServer(simulator.Host, simulator.Port, simulator.User, simulator.Secret, simulator);
    }
}
