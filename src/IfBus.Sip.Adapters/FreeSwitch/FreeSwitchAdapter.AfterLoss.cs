using System.Text;
using System.Text.Json;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <content>Brings the calls in line with the server, when events were missed and when its list is asked for.</content>
internal sealed partial class FreeSwitchAdapter
{
    private const string LookingAgain = "looking for calls again";

    // So many legs are asked about side by side: each question is a thread of the server.
    private const int AskedTogether = 50;

    // The list is a moment behind: what it lacked after a reconnect, and what happened just before it, is looked for once more.
    private async Task LookAgainAsync(FreeSwitchSession session, bool repairs)
    {
        bool missed = true;
        for (int i = 0; i < 3 && missed; i++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1.1), Time, CancellationToken.None).ConfigureAwait(false);
            EslReply reply = await session.Esl.RunAsync("show channels as json", CancellationToken.None).ConfigureAwait(false);
            if (reply.IsError) return;
            missed = await ReconcileAsync(session, FreeSwitchList.Rows(reply.Text), afterLoss: true, CancellationToken.None).ConfigureAwait(false);
            if (!repairs) continue;
            if (i == 0) await RepairAsync(session, CancellationToken.None).ConfigureAwait(false);
            // Not before it is known who is there.
            if (!missed || i == 2) _mapper.ResumeTransfers();
        }
    }

    // The server's list, and what it has lacked for a while asked for by its id. True if a later list may say otherwise.
    private async Task<bool> ReconcileAsync(FreeSwitchSession session, IReadOnlyList<JsonElement> rows, bool afterLoss, CancellationToken cancellationToken)
    {
        List<FreeSwitchLeg>? doubtful = session.Login.Commands.Contains("uuid_exists") ? [] : null;
        (_, bool missed) = _mapper.Reconcile(rows, missing: null, afterLoss, doubtful);
        if (doubtful is not { Count: > 0 }) return missed;
        await AskEachAsync(doubtful, async leg =>
        {
            if (!leg.IsAddressable)
            {
                // It cannot be asked for, so that the list lacked it for a while has to do.
                lock (Calls.Sync) leg.KnownGone = true;
                return;
            }

            EslReply reply = await session.Esl.RunAsync($"uuid_exists {Word(leg)}", cancellationToken).ConfigureAwait(false);
            lock (Calls.Sync)
            {
                leg.KnownGone = reply.Text.Trim() == "false";
                if (!leg.KnownGone) leg.MissingSince = null;
            }
        }).ConfigureAwait(false);

        // The same list as before: it says nothing new of how legs stand.
        return _mapper.Reconcile(rows, missing: null, afterLoss: false, doubtful: []).Missed | missed;
    }

    // What missed events would have told: who talks with whom, who is in which room, which recordings go on, and when a
    // call was answered. What this login may not ask stays as it was.
    private async Task RepairAsync(FreeSwitchSession session, CancellationToken cancellationToken)
    {
        if (await AskIfAsync(session, "show", "show calls as json", cancellationToken).ConfigureAwait(false) is { } pairs) _mapper.ApplyPairs(FreeSwitchList.Rows(pairs));
        if (await AskIfAsync(session, "conference", "conference json_list", cancellationToken).ConfigureAwait(false) is { } list)
        {
            using JsonDocument rooms = Parse(list);
            _mapper.ApplyRooms(Members(rooms));
        }

        List<FreeSwitchLeg> recorded, answered;
        lock (Calls.Sync)
        {
            FreeSwitchCall[] live = [.. Calls.Live.Cast<FreeSwitchCall>()];
            recorded = [.. live.SelectMany(c => c.Legs).Where(l => l is { Ended: false, Recording.Count: > 0, IsAddressable: true })];
            answered = [.. live.Where(c => c is { AnswerUnseen: true, Primary: { Ended: false, IsAddressable: true } }).Select(c => c.Primary!)];
        }

        await AskEachAsync(recorded, async leg =>
        {
            string[] before;
            lock (Calls.Sync) before = [.. leg.Recording ?? []];
            if (await AskIfAsync(session, "uuid_buglist", $"uuid_buglist {Word(leg)}", cancellationToken).ConfigureAwait(false) is { } bugs)
                _mapper.EndRecordings(leg, Array.FindAll(before, path => !bugs.Contains($"<target>{path}</target>", StringComparison.Ordinal)));
        }).ConfigureAwait(false);
        await AskEachAsync(answered, async leg =>
        {
            if (await AskIfAsync(session, "uuid_dump", $"uuid_dump {Word(leg)} json", cancellationToken).ConfigureAwait(false) is { } dump) _mapper.CorrectAnswer(leg.Call, Encoding.UTF8.GetBytes(dump));
        }).ConfigureAwait(false);
    }

    private static async Task AskEachAsync(IEnumerable<FreeSwitchLeg> legs, Func<FreeSwitchLeg, Task> ask)
    {
        foreach (FreeSwitchLeg[] some in legs.Chunk(AskedTogether)) await Task.WhenAll(some.Select(ask)).ConfigureAwait(false);
    }

    private static async Task<string?> AskIfAsync(FreeSwitchSession session, string name, string command, CancellationToken cancellationToken)
    {
        if (!session.Login.Commands.Contains(name)) return null;
        EslReply reply = await session.Esl.RunAsync(command, cancellationToken).ConfigureAwait(false);
        return reply.IsError ? null : reply.Text;
    }

    // By the core's id; for a login that is not told it, by the time of the start.
    private bool IsAnotherStart(FreeSwitchLoginResult login) =>
        login.CoreUuid is { } core && _coreBefore is { } before ? core != before : login.StartedAt > _startsBefore;
}
