using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Yate;

/// <summary>The simulator against the recordings of Yate 6.4.1: asked the same, it says the same.</summary>
public sealed class YateSimulatorReplayTests
{
    // What the simulator does not play: the call generator, a client that is a channel, the assistant of phones. The
    // status and the timer of the engine, and the drop of all that was left before, have tests of their own.
    private static readonly string[] Others = ["callgen", "role-channel", "hold-resume-pbxassist", "engine-timer", "status", "call-drop-everything"];

    public static TheoryData<string> Recordings()
    {
        var data = new TheoryData<string>();
        foreach (string file in Transcript.Files("yate"))
        {
            string name = Path.GetFileName(file).Split('.')[0];
            if (!Others.Contains(name)) data.Add(name);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public async Task Asked_the_same_it_says_the_same(string scenario)
    {
        await using YateSimulator simulator = YateSimulator.Start(new YateSimulatorOptions
        {
            RingTime = TimeSpan.FromMilliseconds(300),
            Role = scenario.StartsWith("connect-norole", StringComparison.Ordinal) ? "" : "global",
        });
        using var replay = new YateScenario(scenario, simulator);
        List<string> differences = await replay.RunAsync();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }
}
