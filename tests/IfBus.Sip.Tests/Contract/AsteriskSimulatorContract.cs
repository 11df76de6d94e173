using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Contract;

/// <summary>The contract on the simulator of Asterisk 22.</summary>
public sealed class AsteriskSimulatorContract : CallContract
{
    protected override ContractServer Server { get; } = Simulated.Asterisk("22.10.1");
}

/// <summary>The contract on the simulator of Asterisk 16.</summary>
public sealed class Asterisk16SimulatorContract : CallContract
{
    protected override ContractServer Server { get; } = Simulated.Asterisk("16.28.0");
}

/// <summary>The contract of call control on the simulator of Asterisk 22.</summary>
public sealed class AsteriskSimulatorControl : ControlContract
{
    protected override ContractServer Server { get; } = Simulated.Asterisk("22.10.1");

    protected override void AssertMuted(IReadOnlyCollection<string> recordingIds) => Simulated.AssertMuted(Server, recordingIds);
}

/// <summary>The contract of call control on the simulator of Asterisk 16.</summary>
public sealed class Asterisk16SimulatorControl : ControlContract
{
    protected override ContractServer Server { get; } = Simulated.Asterisk("16.28.0");

    protected override void AssertMuted(IReadOnlyCollection<string> recordingIds) => Simulated.AssertMuted(Server, recordingIds);
}

/// <summary>The contract of trouble on the simulator of Asterisk 22.</summary>
public sealed class AsteriskSimulatorTrouble : TroubleContract
{
    protected override ContractServer Real { get; } = Simulated.Asterisk("22.10.1");
}

/// <summary>The contract of trouble on the simulator of Asterisk 16.</summary>
public sealed class Asterisk16SimulatorTrouble : TroubleContract
{
    protected override ContractServer Real { get; } = Simulated.Asterisk("16.28.0");
}

/// <summary>The contract of ids on the simulator of Asterisk 22.</summary>
public sealed class AsteriskSimulatorIds : ManagerIdsContract
{
    protected override ContractServer Server { get; } = Simulated.Asterisk("22.10.1");
}

/// <summary>Servers that are started for one test and stopped after it.</summary>
internal static class Simulated
{
    public static ContractServer Asterisk(string version, params AsteriskSimulatorUser[] users)
    {
        AsteriskSimulator simulator = AsteriskSimulator.Start(new AsteriskSimulatorOptions { Version = version, Users = users });
        return new ContractServer(simulator.Host, simulator.Port, simulator.User, simulator.Secret, simulator);
    }

    /// <summary>These recordings are muted, and no others.</summary>
    public static void AssertMuted(ContractServer server, IReadOnlyCollection<string> recordingIds) => Assert.Equal(recordingIds.Order(), ((AsteriskSimulator)server.Simulator!).MutedRecordings.Order());
}
