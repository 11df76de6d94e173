using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Contract;

/// <summary>The contract of trouble on the simulator of Yate 6.4.</summary>
public sealed class YateTroubleSimulatorContract : YateTroubleContract
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly YateSimulator _simulator;

    public YateTroubleSimulatorContract()
    {
        _simulator = YateSimulator.Start();
        Server = new ContractServer(_simulator.Host, _simulator.Port, "nobody", "", _simulator);
    }

    protected override ContractServer Server { get; }

    protected override string HoldingPhone => "4002";

    protected override ICaller CallIn(string number)
    {
        // The connection is to see the call begin.
        Module.Run("Get-SipServer");
        _simulator.StartIncomingCall("5550100", number);
        return new Caller();
    }

    protected override void Hold(SipCall call, bool hold) => _simulator.HoldByPhone(call.Legs[^1].Id, hold);

    protected override void Restart() => Assert.True(_simulator.RestartAsync(CancellationToken.None).Wait(Deadline), "the simulator did not come back");

    protected override void Kill() => Assert.True(_simulator.KillAsync(CancellationToken.None).Wait(Deadline), "the simulator did not come back");

    private sealed class Caller : ICaller
    {
        public int? WaitForEnd() => null;

        public void Dispose()
        {
        }
    }
}
