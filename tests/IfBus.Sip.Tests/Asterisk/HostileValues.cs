namespace IfBus.Sip.Tests.Asterisk;

/// <summary>What somebody may pass who wants it to become something else, the same every time.</summary>
internal static class HostileValues
{
    public static readonly string[] Pieces =
    [
        "1001", "PJSIP/1001", "Local/a@b", "sip:bob@example.org", "\r\n", "\n", "\r", "\0", ",", "&", "|", "${SHELL(id)}", "\"", "\\", "<", ">", "'", " ", "\t", "Ann <1>", "é", "漢", "\ud800",
        "Action: Hangup", "\r\n\r\nAction: Originate\r\n", ":", "=", "..", "/", "@", ";", "%0a", "\u2028", "\u0085", new string('x', 1100), "A", "_", "__", "(1,2)", "[1,2]", "^", "!", "?", "*", "#", ".wav", "all", "{0}",
    ];

    /// <summary>Some values, each of one to three pieces.</summary>
    public static IEnumerable<string> Some(int count, int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++) yield return One(random);
    }

    public static string One(Random random) => string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => Pieces[random.Next(Pieces.Length)]));
}
