using System.Buffers;
using System.Globalization;

namespace IfBus.Sip.Adapters.Flexisip;

/// <summary>Names of accounts and devices: how callers write them, and how they go into a path without becoming another.</summary>
internal static class FlexisipNames
{
    private static readonly SearchValues<char> NotInAddresses = SearchValues.Create("/\\?#%<>\"'`{}|^[];,& \t\r\n");

    /// <summary>What is allowed, for messages.</summary>
    public const string Rule = "a user name (alice), a SIP address (alice@sip.example.com, with or without sip:), or # and the account's number (#12).";

    /// <summary>User and domain of an address, with or without sip:; null if it is none.</summary>
    public static (string User, string Domain)? Split(string address)
    {
        string bare = address.StartsWith("sip:", StringComparison.OrdinalIgnoreCase) ? address[4..] : address;
        int at = bare.LastIndexOf('@');
        if (at <= 0 || at == bare.Length - 1 || !IsFit(bare[..at]) || !IsFit(bare[(at + 1)..])) return null;
        return (bare[..at], bare[(at + 1)..]);
    }

    /// <summary>The number, if an account is named by it.</summary>
    public static long? Number(string account) =>
        account.Length > 1 && account[0] == '#' && long.TryParse(account.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out long id) ? id : null;

    /// <summary>True for what can be a part of an address, and of a path.</summary>
    public static bool IsFit(string part) => part.Length is > 0 and <= 200 && part.AsSpan().IndexOfAny(NotInAddresses) < 0 && !part.Any(char.IsControl) && part is not ("." or "..");

    /// <summary>A part of a path. @ and : stay, as the server's own links have them.</summary>
    public static string Encode(string part) => Uri.EscapeDataString(part).Replace("%40", "@", StringComparison.Ordinal).Replace("%3A", ":", StringComparison.Ordinal);
}
