using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Contract;

/// <summary>Forged messages on the simulator of Asterisk 22.</summary>
public sealed class ForgedEventsSimulatorContract : ForgedEventsContract
{
    protected override ContractServer Server { get; } = WithUsers.Start("22.10.1");
}

/// <summary>Forged messages on the simulator of Asterisk 16.</summary>
public sealed class ForgedEvents16SimulatorContract : ForgedEventsContract
{
    protected override ContractServer Server { get; } = WithUsers.Start("16.28.0");
}

/// <summary>A login with few rights on the simulator.</summary>
public sealed class FewRightsSimulatorContract : FewRightsContract
{
    protected override ContractServer Server { get; } = WithUsers.Start("22.10.1");
}

/// <summary>Destinations on the simulator.</summary>
public sealed class DestinationSimulatorContract : DestinationContract
{
    protected override ContractServer Server { get; } = WithUsers.Start("22.10.1");
}

/// <summary>A simulator with the users of the live tests.</summary>
internal static class WithUsers
{
    public static ContractServer Start(string version) => Simulated.Asterisk(
        version,
        new AsteriskSimulatorUser { Name = "ifbus-orig", Secret = "orig-secret", Read = "call", Write = "originate" },
        new AsteriskSimulatorUser { Name = "ifbus-calls", Secret = "calls-secret", Read = "call,cdr", Write = "originate,call,reporting" });
}
