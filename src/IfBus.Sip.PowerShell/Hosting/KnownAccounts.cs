using System.Collections.Concurrent;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>Addresses of accounts seen lately in this process, for completion only. No secrets, and not more than some.</summary>
internal static class KnownAccounts
{
    private const int Most = 2000;
    private static readonly ConcurrentDictionary<string, string> Seen = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Remembers one.</summary>
    public static void Add(SipAccount account)
    {
        if (Seen.Count >= Most) Seen.Clear();
        Seen[$"{account.Username}@{account.Domain}"] = account.DisplayName ?? account.Server;
    }

    /// <summary>One is gone.</summary>
    public static void Remove(SipAccount account) => Seen.TryRemove($"{account.Username}@{account.Domain}", out _);

    /// <summary>Addresses, and what to show beside them.</summary>
    public static IEnumerable<(string, string)> All() => Seen.OrderBy(s => s.Key, StringComparer.OrdinalIgnoreCase).Select(s => (s.Key, s.Value));
}
