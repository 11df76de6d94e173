using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Yate;

/// <summary>The simulator against the recordings of Yate 6.4.1: asked the same, it says the same.</summary>
public sealed class YateSimulatorReplayTests(YateSimulatorReplayTests.Played played) : IClassFixture<YateSimulatorReplayTests.Played>
{
    // What the simulator does not play: the call generator, a client that is a channel, the assistant of phones. The
    // status and the timer of the engine, and the drop of all that was left before, have tests of their own.
    private static readonly string[] Others = ["callgen", "role-channel", "hold-resume-pbxassist", "engine-timer", "status", "call-drop-everything"];

    private static IEnumerable<string> All => Transcript.Files("yate").Select(f => Path.GetFileName(f).Split('.')[0]).Except(Others);

    public static TheoryData<string> Recordings() => [.. All];

    [Theory]
    [MemberData(nameof(Recordings))]
    public async Task Asked_the_same_it_says_the_same(string scenario)
    {
        List<string> differences = await played.DifferencesAsync(scenario);
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    private static async Task<List<string>> PlayAsync(string scenario)
    {
        await using YateSimulator simulator = YateSimulator.Start(new YateSimulatorOptions
        {
            RingTime = TimeSpan.FromMilliseconds(300),
            Role = scenario.StartsWith("connect-norole", StringComparison.Ordinal) ? "" : "global",
        });
        using var replay = new YateScenario(scenario, simulator);
        return await replay.RunAsync();
    }

    public sealed class Played() : SideBySide<string>(All, PlayAsync);
}
