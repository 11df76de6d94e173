using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.Flexisip;

/// <summary>An account in memory.</summary>
internal sealed class FlexiAccount
{
    public required int Id { get; init; }

    public required string Username { get; set; }

    public required string Domain { get; set; }

    public string? Email { get; set; }

    public bool Activated { get; set; }

    public string IpAddress { get; init; } = "127.0.0.1";

    public string UserAgent { get; set; } = "";

    public DateTime CreatedAt { get; init; }

    public DateTime UpdatedAt { get; set; }

    public string? DisplayName { get; set; }

    public string? DtmfProtocol { get; set; }

    public bool Blocked { get; set; }

    public bool Admin { get; set; }

    public string? Phone { get; set; }

    public string ProvisioningToken { get; set; } = FlexiStore.Word(13);

    public JsonObject Dictionary { get; set; } = [];

    /// <summary>Hash of user:realm:password by kind of hash.</summary>
    public Dictionary<string, string> Passwords { get; } = [];

    /// <summary>Registered devices by instance id.</summary>
    public Dictionary<string, JsonObject> Devices { get; } = [];

    public JsonObject? External { get; set; }

    public List<JsonObject> Forwardings { get; } = [];

    public string Address => $"{Username}@{Domain}";

    public void SetPassword(string password, IEnumerable<string> algorithms)
    {
        Passwords.Clear();
        foreach (string algorithm in algorithms) Passwords[algorithm] = FlexiStore.Hash(algorithm, $"{Username}:{Domain}:{password}");
    }
}

/// <summary>An API key.</summary>
internal sealed record FlexiKey(string Key, FlexiAccount Account, string? Address, bool Personal);

/// <summary>Helpers of the store.</summary>
internal static class FlexiStore
{
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>A random word.</summary>
    public static string Word(int length) => RandomNumberGenerator.GetString(Letters, length);

    /// <summary>A time as FlexiAPI writes it; whole seconds.</summary>
    public static string Time(DateTime time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'.000000Z'", CultureInfo.InvariantCulture);

#pragma warning disable CA5351 // it plays a server that keeps MD5
    public static string Hash(string algorithm, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return Convert.ToHexString(algorithm == "MD5" ? MD5.HashData(bytes) : SHA256.HashData(bytes)).ToLowerInvariant();
    }
#pragma warning restore CA5351

    /// <summary>user and domain of an address; null if it is none.</summary>
    public static (string User, string Domain)? Split(string address)
    {
        int at = address.LastIndexOf('@');
        return at <= 0 || at == address.Length - 1 ? null : (address[..at], address[(at + 1)..]);
    }
}
