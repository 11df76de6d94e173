using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Contract;

/// <summary>What callers give stays a value, on the simulator of FreeSWITCH 1.10, which keeps the shell commands that reach it.</summary>
public sealed class FreeSwitchInjectionSimulatorContract : FreeSwitchInjectionContract
{
    private readonly FreeSwitchSimulator _simulator = FreeSwitchSimulator.Start(new FreeSwitchSimulatorOptions { RingTime = TimeSpan.FromMilliseconds(1) });

    protected override ContractServer Server => new(_simulator.Host, _simulator.Port, _simulator.User, _simulator.Secret, _simulator);

    protected override bool ShellRan => _simulator.SystemCommands.Count > 0;
}
