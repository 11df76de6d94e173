using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Binding;

/// <summary>Takes accounts as texts, or out of accounts, devices, rules and table rows: by number where it is known, since that is what does not change.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class AccountAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        return value is IList list ? list.Cast<object>().Select(Name).ToArray() : Name(inputData);
    }

    private static object Name(object input)
    {
        object? value = input is PSObject wrapped ? wrapped.BaseObject : input;
        switch (value)
        {
            case null or string: return value!;
            case SipAccount account: return "#" + account.Id.ToString(CultureInfo.InvariantCulture);
            case SipAccountChange change: return "#" + change.Account.Id.ToString(CultureInfo.InvariantCulture);
            // A bare number at the prompt is a user name: 1001 must not become the account that has this number.
            case int or long: return Convert.ToString(value, CultureInfo.InvariantCulture)!;
        }

        PSMemberInfoCollection<PSPropertyInfo> properties = PSObject.AsPSObject(input).Properties;
        string? Said(string name) => properties[name]?.Value?.ToString() is { Length: > 0 } text ? text : null;
        if ((Said("SipUri") ?? Said("Account")) is { } address) return address;
        if (Said("Username") is { } user) return Said("Domain") is { } domain ? $"{user}@{domain}" : user;
        const string Rule = "an account is named by its user name, its SIP address, # and its number, or an object of Get-SipAccount.";
        // By this cause the binder knows that the object may be for another parameter.
        throw new ArgumentTransformationMetadataException(Rule, new PSInvalidCastException(Rule));
    }
}

/// <summary>Takes a secret as a SecureString, or as a text, as it stands in a file that is imported.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class SecretAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        if (value is PSCredential credential) return credential.Password;
        if (value is not string text) return value!;
        if (text.Length == 0) return null!;
        var secret = new System.Security.SecureString();
        foreach (char c in text) secret.AppendChar(c);
        secret.MakeReadOnly();
        return secret;
    }
}

/// <summary>Takes a table of texts as a hash table, or as texts 'name=value' with ; between, as a column of a file holds them.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class EntriesAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        if (value is not string text) return value!;
        if (string.IsNullOrWhiteSpace(text)) return null!;
        var table = new Hashtable(StringComparer.Ordinal);
        foreach (string part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw new ArgumentTransformationMetadataException($"'{SipText.Printable(part)}' is no entry: give a hash table, or texts name=value with ; between.");
            table[part[..equals]] = part[(equals + 1)..];
        }

        return table;
    }
}

/// <summary>Takes true and false as they stand in a file that is imported; an empty column is none of both.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class YesNoAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        if (value is not string text) return value!;
        if (string.IsNullOrWhiteSpace(text)) return null!;
        return bool.TryParse(text, out bool yes) ? yes : throw new ArgumentTransformationMetadataException($"'{SipText.Printable(text)}' is neither True nor False.");
    }
}

/// <summary>Completes addresses of accounts that were listed in this session. Knows what is in memory only.</summary>
public sealed class AccountCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completion.Match(wordToComplete, KnownAccounts.All);
}
