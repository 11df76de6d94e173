using System.Collections.Concurrent;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>Names of what was put out lately in this process, by the noun of its cmdlets; for completion only, and not more than some.</summary>
internal static class SeenNames
{
    private const int Most = 2000;
    private static readonly ConcurrentDictionary<(string Noun, string Name), string> Seen = new();

    /// <summary>Remembers what a cmdlet puts out, if it has a name to complete.</summary>
    public static void Add(object? item)
    {
        (string Noun, string Name, string Server)? named = item switch
        {
            SipConference room => (nameof(SipConference), room.Name, room.Server),
            SipGateway gateway => (nameof(SipGateway), gateway.Name, gateway.Server),
            SipQueue queue => (nameof(SipQueue), queue.Name, queue.Server),
            SipRoute route => (nameof(SipRoute), route.Name, route.Server),
            SipRegistration registration => (nameof(SipRegistration), registration.Aor, registration.Server),
            SipSpace space => (nameof(SipSpace), space.Domain, space.Server),
            _ => null,
        };
        if (named is not { } it) return;
        if (Seen.Count >= Most) Seen.Clear();
        Seen[(it.Noun, it.Name)] = it.Server;
    }

    /// <summary>Names of one noun, and the server that they are of.</summary>
    public static IEnumerable<(string Value, string Tip)> Of(string noun) =>
        Seen.Where(s => s.Key.Noun.Equals(noun, StringComparison.OrdinalIgnoreCase)).OrderBy(s => s.Key.Name, StringComparer.OrdinalIgnoreCase).Select(s => (s.Key.Name, s.Value));
}
