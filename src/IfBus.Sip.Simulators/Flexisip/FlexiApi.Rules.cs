using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Simulators.Flexisip;

/// <content>What is wrong with the fields of an account, in the framework's words.</content>
internal sealed partial class FlexiApi
{
    private static readonly Dictionary<string, string> French = new(StringComparer.Ordinal) { ["username"] = "nom d'utilisateur", ["password"] = "mot de passe", ["algorithm"] = "algorithm" };

    private FlexiResponse? Validate(Context c, string domain, FlexiAccount? known)
    {
        JsonObject body = c.Request.Json;
        var errors = new JsonObject();
        bool create = c.Request.Method == "POST";
        void Complain(string field, string words)
        {
            if (errors[field] is JsonArray list) list.Add(words);
            else errors[field] = new JsonArray(words);
        }

        if (Said(body, "username") is not { } user)
        {
            Complain("username", Required(c, "username"));
        }
        else
        {
            if (user.Any(char.IsUpper)) Complain("username", "No uppercase letters are allowed.");
            if (!UserName().IsMatch(user)) Complain("username", "The username should be a valid SIP username");
            bool taken = _accounts.Any(a => a != known && a.Username == user && a.Domain == domain) || (create && _tombstones.Contains($"{user}@{domain}"));
            if (taken) Complain("username", "The username has already been taken.");
        }

        if (body["dictionary"] is { } dictionary && (dictionary is not JsonObject entries || entries.Any(e => e.Value is not JsonValue value || value.GetValueKind() != JsonValueKind.String)))
            Complain("dictionary", "The dictionary must be an associative dictionary of strings");
        if (create)
        {
            if (Said(body, "password") is not { } password) Complain("password", Required(c, "password"));
            else if (password.Length < 3) Complain("password", "The password must be at least 3 characters.");
        }

        if (Said(body, "email") is { } email)
        {
            if (!Mail().IsMatch(email)) Complain("email", "The email must be a valid email address.");
            // It does not leave out the account itself.
            else if (!_is20 && c.Space.UniqueEmail && _accounts.Any(a => a.Email == email && a.Domain == domain)) Complain("email", "The email has already been taken.");
        }

        if (Said(body, "dtmf_protocol") is { } dtmf && dtmf is not ("sipinfo" or "rfc2833" or "sipmessage")) Complain("dtmf_protocol", "The selected dtmf protocol is invalid.");
        if (Said(body, "phone") is { } phone)
        {
            if (!Phone().IsMatch(phone)) Complain("phone", "The phone field contains an invalid number.");
            if (!_options.PhoneCountries.Any(code => phone.StartsWith("+" + code, StringComparison.Ordinal))) Complain("phone", "The phone number must belong to an authorized country.");
        }

        string? algorithm = Said(body, "algorithm");
        if (_is20 && algorithm is null) Complain("algorithm", Required(c, "algorithm"));
        else if (algorithm is not null && (_is20 ? algorithm is not ("MD5" or "SHA-256") : algorithm != c.Space.Algorithm)) Complain("algorithm", "The selected algorithm is invalid.");
        if (body["admin"] is { } admin && Flag(body, "admin") is null && admin.GetValueKind() != JsonValueKind.Null) Complain("admin", "The admin field must be true or false.");
        if (errors.Count == 0) return null;
        return c.Request.WantsJson ? Invalid(errors) : FlexiResponse.Redirect($"http://{c.Request.Host}");
    }

    private static FlexiResponse Invalid(JsonObject errors)
    {
        JsonNode?[] all = [.. errors.SelectMany(e => (JsonArray)e.Value!)];
        string message = (string)all[0]!;
        if (all.Length > 1) message += $" (and {all.Length - 1} more error{(all.Length > 2 ? "s" : "")})";
        return FlexiResponse.Json(new JsonObject { ["message"] = message, ["errors"] = errors }, 422);
    }

    private static string Required(Context c, string field) =>
        c.Request.Header("Accept-Language")?.StartsWith("fr", StringComparison.OrdinalIgnoreCase) == true
            ? $"Le champ {French.GetValueOrDefault(field) ?? field} est obligatoire."
            : $"The {field.Replace('_', ' ')} field is required.";

    private static string? Said(JsonObject body, string field) => body[field] is JsonValue value && value.TryGetValue(out string? text) && text.Length > 0 ? text : null;

    private static bool? Flag(JsonObject body, string field) => body[field] is JsonValue value
        ? value.GetValueKind() switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Number => (double)value switch { 1 => true, 0 => false, _ => null },
            JsonValueKind.String => (string?)value switch { "1" => true, "0" => false, _ => null },
            _ => null,
        }
        : null;

    [GeneratedRegex("^[a-z0-9+_.-]*$")]
    private static partial Regex UserName();

    [GeneratedRegex(@"^[^@\s]+@[^@\s]+$")]
    private static partial Regex Mail();

    [GeneratedRegex(@"^\+[1-9][0-9]{7,14}$")]
    private static partial Regex Phone();
}
