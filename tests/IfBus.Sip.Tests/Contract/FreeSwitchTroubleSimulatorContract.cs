using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Contract;

/// <summary>The contract of trouble on the simulator of FreeSWITCH 1.10.</summary>
public sealed class FreeSwitchTroubleSimulatorContract : FreeSwitchTroubleContract
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly FreeSwitchSimulator _simulator;

    public FreeSwitchTroubleSimulatorContract()
    {
        _simulator = FreeSwitchSimulator.Start();
        Server = new ContractServer(_simulator.Host, _simulator.Port, _simulator.User, _simulator.Secret, _simulator);
    }

    protected override ContractServer Server { get; }

    protected override string EarlyThenBusy => "sofia/gateway/answer/earlybusy";

    protected override string Refusing(int status) => $"sofia/internal/status{status}@127.0.0.1:5070";

    protected override ICaller CallIn(string number)
    {
        // The connection is to see the call begin.
        Module.Run("Get-SipServer");
        _simulator.StartIncomingCall("5550100", number);
        return new Caller();
    }

    protected override void Kill() => Assert.True(_simulator.KillAsync(CancellationToken.None).Wait(Deadline), "the simulator did not come back");

    // It comes back by itself.
    protected override void StartAgain()
    {
    }

    private sealed class Caller : ICaller
    {
        public int? WaitForEnd() => null;

        public void Dispose()
        {
        }
    }
}
