using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace IfBus.Sip.Adapters.Flexisip;

/// <content>
/// Changing an account. FlexiAPI only replaces (PUT): e-mail, name, phone and DTMF protocol that are not sent become null;
/// 2.0 moreover deactivates, unblocks, and takes the administrator's right away unless that is sent; 2.1 refuses an account's own
/// e-mail address where addresses must be unique. So: read, merge, write, put back, read again and compare.
/// </content>
internal sealed partial class FlexisipAdapter
{
    private static readonly string[] Clearable = ["DisplayName", "Email", "Phone", "DtmfProtocol"];

    protected override async Task<SipAccountChange> UpdateAccountAsync(FlexisipSession session, string account, SipAccountUpdate update, CancellationToken cancellationToken)
    {
        CheckUpdate(update);
        JsonElement read = await ReadAccountAsync(session, account, cancellationToken).ConfigureAwait(false);
        SipAccount before = FlexisipMapper.Account(read, Name);
        if (update.UnmodifiedSince is { } since && before.UpdatedAt > since)
            throw Changed($"{Name}: {before.SipUri} was changed at {before.UpdatedAt:u}, after {since:u}. Nothing was sent.", "Read it again (Get-SipAccount), and repeat if the change is still right.");

        SipAccount wanted = Merge(before, update);
        if (update.Password is null && Differences(before, wanted).Count == 0) return new SipAccountChange { SipUri = before.SipUri, Server = Name, Account = before };

        string mark = Convert.ToHexString(RandomNumberGenerator.GetBytes(6)).ToLowerInvariant();
        var restored = new List<string>();
        JsonObject body = Body(session, before, wanted, update, await AlgorithmAsync(session, before, cancellationToken).ConfigureAwait(false));
        await PutAsync(session, before, wanted, body, mark, restored, cancellationToken).ConfigureAwait(false);
        if (session.Is20) await PutBackAsync(session, before, restored).ConfigureAwait(false);

        SipAccount after = await GetAccountAsync(session, $"#{before.Id}", cancellationToken).ConfigureAwait(false);
        CheckAfter(before, wanted, after, mark);
        List<SipPropertyChange> changes = Differences(before, after);
        if (update.Password is not null) changes.Add(new SipPropertyChange("Password", null, null));
        return new SipAccountChange { SipUri = after.SipUri, Server = Name, Account = after, Changes = changes, Restored = restored };
    }

    private static void CheckUpdate(SipAccountUpdate update)
    {
        foreach (string name in update.Clear)
        {
            if (!Clearable.Contains(name, StringComparer.OrdinalIgnoreCase)) throw new SipArgumentException("Clear", name, $"one of {string.Join(", ", Clearable)}.");
        }

        if (update.Username is { } user && !FlexisipNames.IsFit(user)) throw new SipArgumentException("NewUsername", user, "a user name, without domain.");
        // The stored hash is made of name, realm and password: with another name nobody could log in.
        if (update.Username is not null && update.Password is null) throw new SipArgumentException("NewUsername", update.Username, "goes with -Password only: the stored password contains the user name, and would fit no longer.");
    }

    private static SipAccount Merge(SipAccount before, SipAccountUpdate update)
    {
        bool Cleared(string name) => update.Clear.Contains(name, StringComparer.OrdinalIgnoreCase);
        return before with
        {
            Username = update.Username ?? before.Username,
            DisplayName = Cleared("DisplayName") ? null : update.DisplayName ?? before.DisplayName,
            Email = Cleared("Email") ? null : update.Email ?? before.Email,
            Phone = Cleared("Phone") ? null : update.Phone ?? before.Phone,
            DtmfProtocol = Cleared("DtmfProtocol") ? null : update.DtmfProtocol ?? before.DtmfProtocol,
            Dictionary = update.Dictionary ?? before.Dictionary,
            Admin = update.Admin ?? before.Admin,
        };
    }

    // 2.0 wants to be told the kind of hash although it is used for a new password only.
    private async Task<string?> AlgorithmAsync(FlexisipSession session, SipAccount before, CancellationToken cancellationToken)
    {
        if (!session.Is20) return null;
        IReadOnlyList<string>? known = before.PasswordAlgorithms ?? (await TrySearchAsync(session, $"{before.Username}@{before.Domain}", cancellationToken).ConfigureAwait(false))?.PasswordAlgorithms;
        return known is { Count: > 0 } ? known[0] : "SHA-256";
    }

    private static JsonObject Body(FlexisipSession session, SipAccount before, SipAccount wanted, SipAccountUpdate update, string? algorithm)
    {
        var body = new JsonObject { ["username"] = wanted.Username };
        if (algorithm is not null) body["algorithm"] = algorithm;
        if (wanted.DisplayName is not null) body["display_name"] = wanted.DisplayName;
        if (wanted.Email is not null) body["email"] = wanted.Email;
        if (wanted.Phone is not null) body["phone"] = wanted.Phone;
        if (wanted.DtmfProtocol is not null) body["dtmf_protocol"] = wanted.DtmfProtocol;
        if (update.Password is not null) body["password"] = update.Password;
        // What the server keeps by itself is sent only to change it: so another's change of it is not undone.
        if (session.Is20 || wanted.Admin != before.Admin) body["admin"] = wanted.Admin;
        if (update.Dictionary is not null && !Same(before.Dictionary, wanted.Dictionary)) body["dictionary"] = Map(wanted.Dictionary);
        return body;
    }

    private async Task PutAsync(FlexisipSession session, SipAccount before, SipAccount wanted, JsonObject body, string mark, List<string> restored, CancellationToken cancellationToken)
    {
        string what = $"change {before.SipUri}";
        FlexisipReply reply = await PutOnceAsync(session, before, body, mark, cancellationToken).ConfigureAwait(false);
        if (reply.Status == 422 && wanted.Email is not null && wanted.Email == before.Email
            && FlexisipErrors.For(reply, Name, what) is SipRejectedException { FieldErrors: { Count: 1 } only } && only.ContainsKey("email"))
        {
            // 2.1 takes the account's own address for taken. Written without, and then with it. Nothing between may be given up.
            body.Remove("email");
            await CheckAsync(session, await PutOnceAsync(session, before, body, mark, cancellationToken).ConfigureAwait(false), what, cancellationToken).ConfigureAwait(false);
            body["email"] = wanted.Email;
            body.Remove("password");
            FlexisipReply again;
            try
            {
                again = await PutOnceAsync(session, before, body, mark, CancellationToken.None).ConfigureAwait(false);
            }
            catch (SipException e)
            {
                throw NotRestored($"{Name} lost the e-mail address '{wanted.Email}' of {before.SipUri}: it had to be taken out for the change, and could not be put back. {e.Message}", wanted.Email, e);
            }

            if (!again.IsSuccess) throw NotRestored($"{Name} lost the e-mail address '{wanted.Email}' of {before.SipUri}: it had to be taken out for the change, and the server did not take it back. {FlexisipErrors.Words(again)}", wanted.Email, null);
            restored.Add("Email");
            return;
        }

        if (reply.Status == 404) throw FlexisipErrors.NoAccount(Name, before.SipUri);
        await CheckAsync(session, reply, what, cancellationToken).ConfigureAwait(false);
    }

    // From the first byte of it on the account may be changed: what must follow is not given up.
    private async Task<FlexisipReply> PutOnceAsync(FlexisipSession session, SipAccount before, JsonObject body, string mark, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await session.Client.SendAsync(HttpMethod.Put, $"/accounts/{before.Id}", "change an account", CancellationToken.None, body, mark: mark).ConfigureAwait(false);
        }
        catch (SipException e) when (LeavesOpen(e))
        {
            // Not sent again. If it was carried out, the account has our mark.
            SipAccount now;
            try
            {
                now = await GetAccountAsync(session, $"#{before.Id}", CancellationToken.None).ConfigureAwait(false);
            }
            catch (SipException)
            {
                throw e;
            }

            if (now.UserAgent?.Contains(mark, StringComparison.Ordinal) == true) return new FlexisipReply(200, "", null);
            throw;
        }
    }

    private async Task PutBackAsync(FlexisipSession session, SipAccount before, List<string> restored)
    {
        // Locked out first: for that moment the account was not.
        var back = new List<SipAccountAction>();
        if (before.Blocked) back.Add(SipAccountAction.Block);
        if (before.Activated) back.Add(SipAccountAction.Activate);
        foreach (SipAccountAction action in back)
        {
            string state = action == SipAccountAction.Block ? "Blocked" : "Activated";
            try
            {
                await ActAsync(session, before, action, CancellationToken.None).ConfigureAwait(false);
            }
            catch (SipException e)
            {
                throw new SipRejectedException($"{Name} changed {before.SipUri}, and by that made it not {state}; it could not be put back: {e.Message}", e.Message, (e as SipRejectedException)?.ServerCode, "SipAccountNotRestored")
                {
                    RecommendedAction = $"{(action == SipAccountAction.Block ? "Disable-SipAccount" : "Enable-SipAccount -Activate")} '#{before.Id}' puts it back.",
                };
            }

            restored.Add(state);
        }
    }

    private void CheckAfter(SipAccount before, SipAccount wanted, SipAccount after, string mark)
    {
        // What should have changed may come back in another form (a phone number without blanks); what should not, must not.
        string[] strange = [.. Differences(before, after).Select(d => d.Property).Except(Differences(before, wanted).Select(d => d.Property))];
        string[] missing = [.. Differences(before, wanted).Select(d => d.Property).Except(Differences(before, after).Select(d => d.Property))];
        if (strange.Length == 0 && missing.Length == 0) return;
        string what = string.Join(" ", new[] { strange.Length == 0 ? "" : $"changed too: {string.Join(", ", strange)};", missing.Length == 0 ? "" : $"not changed: {string.Join(", ", missing)};" }.Where(t => t.Length > 0)).TrimEnd(';');
        bool other = after.UserAgent?.Contains(mark, StringComparison.Ordinal) != true;
        throw Changed(
            other
                ? $"{Name}: somebody else changed {before.SipUri} at the same moment ({SipText.Printable(after.UserAgent)}); now is {what}."
                : $"{Name} changed {before.SipUri}, but not as asked for, or somebody else locked, unlocked or edited it at the same moment; now is {what}.",
            "Read it (Get-SipAccount), and repeat what is missing.");
    }

    private static SipRejectedException Changed(string message, string action) => new(message, "", null, "SipAccountChanged") { RecommendedAction = action };

    private static SipRejectedException NotRestored(string message, string email, SipException? cause) =>
        new(message, cause?.Message ?? "", (cause as SipRejectedException)?.ServerCode, "SipAccountNotRestored") { RecommendedAction = $"Set it again: Set-SipAccount -Email '{email}'. Another account may have the same address." };

    private static List<SipPropertyChange> Differences(SipAccount a, SipAccount b)
    {
        var found = new List<SipPropertyChange>();
        void Compare(string name, string? x, string? y)
        {
            if (x != y) found.Add(new SipPropertyChange(name, x ?? "", y ?? ""));
        }

        Compare("Username", a.Username, b.Username);
        Compare("DisplayName", a.DisplayName, b.DisplayName);
        Compare("Email", a.Email, b.Email);
        Compare("Phone", a.Phone, b.Phone);
        Compare("DtmfProtocol", a.DtmfProtocol, b.DtmfProtocol);
        Compare("Activated", a.Activated.ToString(), b.Activated.ToString());
        Compare("Blocked", a.Blocked.ToString(), b.Blocked.ToString());
        Compare("Admin", a.Admin.ToString(), b.Admin.ToString());
        if (!Same(a.Dictionary, b.Dictionary)) found.Add(new SipPropertyChange("Dictionary", Show(a.Dictionary), Show(b.Dictionary)));
        return found;
    }

    private static bool Same(IReadOnlyDictionary<string, string> a, IReadOnlyDictionary<string, string> b) =>
        a.Count == b.Count && a.All(e => b.TryGetValue(e.Key, out string? value) && value == e.Value);

    private static string Show(IReadOnlyDictionary<string, string> entries) =>
        string.Join(", ", entries.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => string.Create(CultureInfo.InvariantCulture, $"{e.Key}={e.Value}")));
}
