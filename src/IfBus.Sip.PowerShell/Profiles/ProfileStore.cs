using System.Management.Automation;
using System.Text.Json;
using System.Text.Json.Nodes;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Profiles;

/// <summary>Registered servers as objects.</summary>
internal static class ProfileStore
{
    // What stands beside the settings.
    private static readonly string[] Own = ["Host", "User", "Login", "SecretStored"];

    /// <summary>The registered servers that a name, with wildcards, fits; by name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="unfit">Is told of those whose entry cannot be used; the others are none the worse for it.</param>
    public static IReadOnlyList<SipServerProfile> Find(WildcardPattern name, Action<ProfileException> unfit)
    {
        var found = new List<SipServerProfile>();
        var file = ProfileFile.OfUser();
        foreach ((string key, JsonObject json) in file.Read().Where(s => name.IsMatch(s.Key)).OrderBy(s => s.Key, StringComparer.OrdinalIgnoreCase))
        {
            try
            {
                found.Add(Parse(file, key, json));
            }
            catch (ProfileException e)
            {
                unfit(e);
            }
        }

        return found;
    }

    /// <summary>The names of the registered servers, and their hosts as far as they have one.</summary>
    public static IReadOnlyList<(string Name, string Host)> Names() => [.. ProfileFile.OfUser().Read().Select(s => (s.Key, s.Value["Host"]?.ToString() ?? s.Key))];

    /// <summary>One of them, without regard to case; null if there is none of this name.</summary>
    public static SipServerProfile? Find(string name)
    {
        var file = ProfileFile.OfUser();
        return file.Read().Where(s => s.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(s => Parse(file, s.Key, s.Value)).FirstOrDefault();
    }

    /// <summary>Registers a server.</summary>
    /// <param name="profile">What to keep.</param>
    /// <param name="replace">Put it in the place of one of the same name.</param>
    public static void Save(SipServerProfile profile, bool replace) => ProfileFile.OfUser().Change(servers =>
    {
        if (Key(servers, profile.Name) is { } there)
        {
            if (!replace)
                throw new ProfileException("SipProfileExists", ErrorCategory.ResourceExists, $"A server is registered as '{there}' already. Nothing was changed.");
            servers.Remove(there);
        }

        servers[profile.Name] = Json(profile);
        return true;
    });

    /// <summary>Takes a server out, if it is there.</summary>
    public static void Remove(string name) => ProfileFile.OfUser().Change(servers => Key(servers, name) is { } there && servers.Remove(there));

    private static string? Key(JsonObject servers, string name) => servers.Select(s => s.Key).FirstOrDefault(k => k.Equals(name, StringComparison.OrdinalIgnoreCase));

    private static JsonObject Json(SipServerProfile profile)
    {
        var json = new JsonObject { ["Host"] = profile.Host };
        if (profile.Type is { } type) json["Type"] = type.ToString();
        if (profile.Port is { } port) json["Port"] = port;
        if (profile.User is { } user) json["User"] = user;
        if (profile.Login is { } login) json["Login"] = login;
        if (profile.SecretStored) json["SecretStored"] = true;
        foreach ((string name, object value) in profile.Settings)
        {
            json[name] = value switch
            {
                bool flag => flag,
                int number => number,
                double number => number,
                _ => value.ToString(),
            };
        }

        return json;
    }

    private static SipServerProfile Parse(ProfileFile file, string name, JsonObject json)
    {
        var values = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
        foreach ((string key, JsonNode? node) in json)
        {
            string? known = Array.Find(Own, o => o.Equals(key, StringComparison.OrdinalIgnoreCase)) ?? (ServerSetting.Find(key) is { IsKept: true } setting ? setting.Name : null);
            if (known is null) throw Bad($"'{SipText.Printable(key)}' is no setting that is kept; allowed are {string.Join(", ", Own.Concat(ServerSetting.All.Where(s => s.IsKept).Select(s => s.Name)))}");
            values[known] = (node as JsonValue)?.GetValueKind() switch
            {
                JsonValueKind.String => node!.GetValue<string>(),
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                JsonValueKind.Number when ((JsonValue)node!).TryGetValue(out int whole) => whole,
                JsonValueKind.Number when ((JsonValue)node!).TryGetValue(out double number) => number,
                _ => throw Bad($"{known} is neither text nor number nor true or false"),
            };
        }

        // Tried here, so that what is wrong is said of the file, and not of a parameter that nobody gave.
        var tried = new SipServerConfiguration();
        foreach ((string key, object value) in values)
        {
            if (ServerSetting.Find(key) is { IsKept: true } setting && setting.Apply(tried, value) is { } problem) throw Bad(problem.ToString().TrimEnd('.'));
        }

        string host = Take("Host") as string ?? throw Bad("Host, a text, is missing");
        string? login = Take("Login") switch { null => null, "Credential" => "Credential", "ApiKey" => "ApiKey", _ => throw Bad("Login is neither Credential nor ApiKey") };
        string? user = Take("User") switch { null => null, string u => u, _ => throw Bad("User is no text") };
        bool stored = Take("SecretStored") switch { null => false, bool b => b, _ => throw Bad("SecretStored is neither true nor false") };
        values.Remove("Type");
        values.Remove("Port");
        return new SipServerProfile(name, host) { Type = tried.Type, Port = tried.Port, User = user, Login = login, SecretStored = stored, Settings = values };

        object? Take(string key) => values.Remove(key, out object? value) ? value : null;

        ProfileException Bad(string what) => file.Invalid($"server '{SipText.Printable(name)}': {what}");
    }
}
