using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using IfBus.Sip.Adapters.Diagnostics;

namespace IfBus.Sip.Adapters.Flexisip;

/// <content>Accounts: listed, found, made, removed, locked out.</content>
internal sealed partial class FlexisipAdapter
{
    private const int PageSize = 20;

    protected override async IAsyncEnumerable<SipAccount> GetAccountsAsync(FlexisipSession session, SipRange range, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (range.First is 0) yield break;
        // Pages cannot be made larger, but begun at: what is skipped whole is not asked for.
        long page = (range.Skip / PageSize) + 1;
        int drop = (int)(range.Skip % PageSize);
        long left = range.First ?? long.MaxValue;
        // Accounts come and go while pages are turned; one must not be given out twice.
        var seen = new HashSet<long>();
        await foreach (JsonElement row in PagesAsync(session, "/accounts", page, "list its accounts", cancellationToken).ConfigureAwait(false))
        {
            if (drop-- > 0) continue;
            SipAccount account = FlexisipMapper.Account(row, Name);
            if (!seen.Add(account.Id)) continue;
            yield return account;
            if (--left == 0) yield break;
        }
    }

    protected override async Task<long> CountAccountsAsync(FlexisipSession session, CancellationToken cancellationToken)
    {
        FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Get, "/accounts?page=1", "the list of accounts", cancellationToken).ConfigureAwait(false);
        JsonElement page = await JsonAsync(session, reply, "count its accounts", cancellationToken).ConfigureAwait(false);
        return FlexisipMapper.Number(page, "total") ?? throw new SipProtocolException($"{Name} gave a list of accounts without their number.");
    }

    protected override async Task<SipAccount> GetAccountAsync(FlexisipSession session, string account, CancellationToken cancellationToken) =>
        FlexisipMapper.Account(await ReadAccountAsync(session, account, cancellationToken).ConfigureAwait(false), Name);

    protected override async Task<SipAccount> FindAccountByEmailAsync(FlexisipSession session, string email, CancellationToken cancellationToken)
    {
        if (email.Length is 0 or > 254 || email.Any(c => char.IsControl(c) || c is '/' or '\\' or ' ') || !email.Contains('@', StringComparison.Ordinal)) throw new SipArgumentException("Email", email, "an e-mail address.");
        FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Get, $"/accounts/{FlexisipNames.Encode(email)}/search-by-email", "the search by e-mail", cancellationToken).ConfigureAwait(false);
        if (reply.Status == 404) throw FlexisipErrors.NoAccount(Name, email);
        return FlexisipMapper.Account(await JsonAsync(session, reply, "look up an account", cancellationToken).ConfigureAwait(false), Name);
    }

    protected override async Task<SipAccount> CreateAccountAsync(FlexisipSession session, SipAccountRequest request, CancellationToken cancellationToken)
    {
        (string user, string? domain) = FlexisipNames.Split(request.Username) is { } whole ? (whole.User, whole.Domain) : (request.Username, request.Domain);
        if (!FlexisipNames.IsFit(user)) throw new SipArgumentException("Username", request.Username, "a user name (alice) or a SIP address (alice@sip.example.com).");
        if (domain is not null && !FlexisipNames.IsFit(domain)) throw new SipArgumentException("Domain", domain, "a SIP domain.");
        // The server would silently take its own.
        if (domain is not null && domain != session.Domain && !session.IsSuper) throw new SipArgumentException("Domain", domain, $"{session.Domain ?? "the space's own"}; only a super administrator makes accounts in other domains.");
        if (request.Algorithm is not (null or "SHA-256" or "MD5")) throw new SipArgumentException("Algorithm", request.Algorithm, "SHA-256 or MD5.");

        var body = new JsonObject { ["username"] = user, ["password"] = request.Password ?? NewPassword(), ["activated"] = request.Activated, ["admin"] = request.Admin };
        if (domain is not null && domain != session.Domain) body["domain"] = domain;
        // 2.0 insists on it; 2.1 knows by itself, and refuses another.
        if (request.Algorithm is not null || session.Is20) body["algorithm"] = request.Algorithm ?? "SHA-256";
        if (request.Email is not null) body["email"] = request.Email;
        if (request.DisplayName is not null) body["display_name"] = request.DisplayName;
        if (request.Phone is not null) body["phone"] = request.Phone;
        if (request.DtmfProtocol is not null) body["dtmf_protocol"] = request.DtmfProtocol;
        if (request.Dictionary.Count > 0) body["dictionary"] = Map(request.Dictionary);

        string address = $"{user}@{domain ?? session.Domain}";
        SipAccount made = await PostAccountAsync(session, body, address, cancellationToken).ConfigureAwait(false);
        if (made.PasswordAlgorithms is { Count: 0 }) Log.NoPassword(Logger, Name, made.SipUri);
        if (!request.Blocked) return made;

        // A new account cannot be blocked from the begin.
        FlexisipReply blocked = await session.Client.SendAsync(HttpMethod.Post, $"/accounts/{made.Id}/block", "block", cancellationToken).ConfigureAwait(false);
        return FlexisipMapper.Account(await JsonAsync(session, blocked, $"block {made.SipUri}, which it has made", cancellationToken).ConfigureAwait(false), Name);
    }

    protected override async Task<SipAccount> RemoveAccountAsync(FlexisipSession session, string account, CancellationToken cancellationToken)
    {
        SipAccount known = await GetAccountAsync(session, account, cancellationToken).ConfigureAwait(false);
        FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Delete, $"/accounts/{known.Id}", "remove an account", cancellationToken).ConfigureAwait(false);
        if (reply.Status == 404) throw FlexisipErrors.NoAccount(Name, account);
        await CheckAsync(session, reply, $"remove {known.SipUri}", cancellationToken).ConfigureAwait(false);
        return known;
    }

    protected override async Task<SipAccountChange> SetAccountStateAsync(FlexisipSession session, string account, IReadOnlyList<SipAccountAction> actions, CancellationToken cancellationToken)
    {
        SipAccount before = await GetAccountAsync(session, account, cancellationToken).ConfigureAwait(false);
        SipAccount after = before;
        foreach (SipAccountAction action in actions)
        {
            bool there = action switch
            {
                SipAccountAction.Block => after.Blocked,
                SipAccountAction.Unblock => !after.Blocked,
                SipAccountAction.Activate => after.Activated,
                _ => !after.Activated,
            };
            if (!there) after = await ActAsync(session, after, action, cancellationToken).ConfigureAwait(false);
        }

        return new SipAccountChange { SipUri = after.SipUri, Server = Name, Account = after, Changes = Differences(before, after) };
    }

    private async Task<SipAccount> ActAsync(FlexisipSession session, SipAccount account, SipAccountAction action, CancellationToken cancellationToken)
    {
#pragma warning disable CA1308 // FlexiAPI's words are lower case
        string word = action.ToString().ToLowerInvariant();
#pragma warning restore CA1308
        FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Post, $"/accounts/{account.Id}/{word}", word, cancellationToken).ConfigureAwait(false);
        if (reply.Status == 404) throw FlexisipErrors.NoAccount(Name, account.SipUri);
        return FlexisipMapper.Account(await JsonAsync(session, reply, $"{word} {account.SipUri}", cancellationToken).ConfigureAwait(false), Name);
    }

    private async Task<SipAccount> PostAccountAsync(FlexisipSession session, JsonObject body, string address, CancellationToken cancellationToken)
    {
        string mark = Convert.ToHexString(RandomNumberGenerator.GetBytes(6)).ToLowerInvariant();
        FlexisipReply reply;
        try
        {
            reply = await session.Client.SendAsync(HttpMethod.Post, "/accounts", "make an account", cancellationToken, body, mark: mark).ConfigureAwait(false);
        }
        catch (SipException e) when (LeavesOpen(e))
        {
            // Not sent again. If it was made, it has our mark.
            if (await TrySearchAsync(session, address, cancellationToken).ConfigureAwait(false) is { } found && found.UserAgent?.Contains(mark, StringComparison.Ordinal) == true) return found;
            throw;
        }

        if (reply.Status == 403)
        {
            await FlexisipSession.PingAsync(session.Client, Name, Configuration.Space ?? Configuration.Host!, cancellationToken).ConfigureAwait(false);
            throw new SipRejectedException($"{Name} refuses to make {address}: there is no space with that domain, or it has as many accounts as it may have.", FlexisipErrors.Words(reply), 403, "SipSpaceRefused")
            {
                IsPermission = true,
                RecommendedAction = "Get-SipSpace shows the spaces and their limits to super administrators.",
            };
        }

        SipException refusal;
        if (reply.Status != 422)
        {
            return FlexisipMapper.Account(await JsonAsync(session, reply, $"make {address}", cancellationToken).ConfigureAwait(false), Name);
        }
        else
        {
            refusal = FlexisipErrors.For(reply, Name, $"make {address}");
        }

        // What is wrong with the name is told in words only, in the language of the server.
        if (refusal is SipRejectedException { FieldErrors: { } fields } && fields.ContainsKey("username"))
        {
            if (await TrySearchAsync(session, address, cancellationToken).ConfigureAwait(false) is { } other)
            {
                throw new SipRejectedException($"{Name} has an account {other.SipUri} already (number {other.Id}, made {other.CreatedAt:u}).", FlexisipErrors.Words(reply), 422, "SipAccountExists")
                {
                    FieldErrors = fields,
                    RecommendedAction = "Set-SipAccount changes it; New-SipAccount -SkipExisting leaves those that are there.",
                };
            }

            if (fields.Count == 1 && IsUsualName(address.Split('@')[0]))
            {
                throw new SipRejectedException($"{Name} does not give the name {address} although no account has it: {string.Join(" ", fields["username"])}", FlexisipErrors.Words(reply), 422, "SipAccountNameReserved")
                {
                    FieldErrors = fields,
                    RecommendedAction = "The name of a removed account stays reserved until the server's clean-up, as shipped seven days. Names on its black list are never given.",
                };
            }
        }

        throw refusal;
    }

    /// <summary>The rows of a list, each page asked for when the one before is used up.</summary>
    private async IAsyncEnumerable<JsonElement> PagesAsync(FlexisipSession session, string path, long page, string what, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Get, $"{path}?page={page}", what, cancellationToken).ConfigureAwait(false);
            JsonElement list = await JsonAsync(session, reply, what, cancellationToken).ConfigureAwait(false);
            if (FlexisipMapper.Property(list, "data") is not { ValueKind: JsonValueKind.Array } rows) throw new SipProtocolException($"{Name} gave a page without rows.");
            foreach (JsonElement row in rows.EnumerateArray()) yield return row;
            // The address of the next page is the server's idea of its own name; only that there is one counts.
            if (FlexisipMapper.Text(list, "next_page_url") is null || rows.GetArrayLength() == 0) yield break;
            page++;
        }
    }

    private async Task<JsonElement> ReadAccountAsync(FlexisipSession session, string account, CancellationToken cancellationToken)
    {
        if (!session.IsAdmin)
        {
            RequireOwn(session, account);
            FlexisipReply own = await session.Client.SendAsync(HttpMethod.Get, "/accounts/me", "the login's own account", cancellationToken).ConfigureAwait(false);
            return await JsonAsync(session, own, "tell the login's own account", cancellationToken).ConfigureAwait(false);
        }

        string path = FlexisipNames.Number(account) is { } id ? $"/accounts/{id}" : $"/accounts/{FlexisipNames.Encode(Address(session, account))}/search";
        FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Get, path, "an account", cancellationToken).ConfigureAwait(false);
        if (reply.Status == 404) throw FlexisipErrors.NoAccount(Name, account);
        return await JsonAsync(session, reply, "tell an account", cancellationToken).ConfigureAwait(false);
    }

    private async Task<SipAccount?> TrySearchAsync(FlexisipSession session, string address, CancellationToken cancellationToken)
    {
        if (FlexisipNames.Split(address) is null) return null;
        FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Get, $"/accounts/{FlexisipNames.Encode(address)}/search", "an account", cancellationToken).ConfigureAwait(false);
        return reply is { IsSuccess: true, Json: { ValueKind: JsonValueKind.Object } json } ? FlexisipMapper.Account(json, Name) : null;
    }

    /// <summary>Where an account's own things are, and its address.</summary>
    private async Task<(string Path, string SipUri)> FindAsync(FlexisipSession session, string account, CancellationToken cancellationToken)
    {
        if (!session.IsAdmin)
        {
            RequireOwn(session, account);
            return ("/accounts/me", session.Me!.SipUri);
        }

        SipAccount found = await GetAccountAsync(session, account, cancellationToken).ConfigureAwait(false);
        return ($"/accounts/{found.Id}", found.SipUri);
    }

    private void RequireOwn(FlexisipSession session, string account)
    {
        if (session.Me is { } me && (FlexisipNames.Number(account) == me.Id || account == me.Username || Address(session, account) == $"{me.Username}@{me.Domain}")) return;
        throw NotSupported(session, SipCapabilities.Accounts);
    }

    private static string Address(FlexisipSession session, string account)
    {
        if (FlexisipNames.Split(account) is { } whole) return $"{whole.User}@{whole.Domain}";
        if (!FlexisipNames.IsFit(account) || account.Contains('@', StringComparison.Ordinal) || account.StartsWith("sip:", StringComparison.OrdinalIgnoreCase)) throw new SipArgumentException("Account", account, FlexisipNames.Rule);
        return session.Domain is { } domain ? $"{account}@{domain}" : throw new SipArgumentException("Account", account, "user@domain: the domain of the space could not be learnt, since it has no account yet.");
    }

    private static bool IsUsualName(string user) => user.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '+' or '_' or '.' or '-');

    private static string NewPassword() => RandomNumberGenerator.GetString("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789", 24);

    private static JsonObject Map(IReadOnlyDictionary<string, string> entries)
    {
        var map = new JsonObject();
        foreach ((string key, string value) in entries) map[key] = value;
        return map;
    }
}
