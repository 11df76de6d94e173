using System.Globalization;
using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Contract;

/// <summary>The contract on the simulator of OpenSIPS 3.6.</summary>
public class OpenSipsSimulatorContract : OpenSipsContract
{
    private int _count;

    protected override ContractServer Server { get; } = Start(new OpenSipsSimulatorOptions());

    private OpenSipsSimulator Simulator => (OpenSipsSimulator)Server.Simulator!;

    protected static ContractServer Start(OpenSipsSimulatorOptions options)
    {
        OpenSipsSimulator simulator = OpenSipsSimulator.Start(options);
        return new ContractServer(simulator.Host, simulator.Port, "none", "", simulator);
    }

    protected override string Phone(string kind)
    {
        // A number behind answer would be seconds.
        string name = $"{kind}-{(++_count).ToString(CultureInfo.InvariantCulture)}";
        Simulator.Register(name);
        return name;
    }

    protected override string Dial(string from, string to) => Simulator.StartIncomingCall(from, to);

    protected override void HangUp(string phone) => Simulator.HangUpByPhone(phone);

    protected override void GiveUp(string phone, string callId) => Simulator.CancelCall(callId);

    protected override int Talking(string phone) => Simulator.Talking(phone);
}

/// <summary>The same with everything that is written cut to pieces.</summary>
public sealed class OpenSipsSplitSimulatorContract : OpenSipsSimulatorContract
{
    protected override ContractServer Server { get; } = Start(new OpenSipsSimulatorOptions { Faults = new SimulatorFaults { SplitWrites = true } });
}
