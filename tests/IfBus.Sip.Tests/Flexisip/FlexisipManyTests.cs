using System.Collections.Concurrent;
using System.Diagnostics;
using System.Management.Automation;
using System.Text;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.Flexisip;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace IfBus.Sip.Tests.Flexisip;

/// <summary>Many accounts, limits, interruptions, two writers at once, and secrets.</summary>
public sealed class FlexisipManyTests : IDisposable
{
    private readonly List<IDisposable> _things = [];

    public void Dispose() => _things.ForEach(t => t.Dispose());

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_thousand_accounts_are_made_within_the_limit_without_an_error(bool alone)
    {
        // A minute of 600 requests, in a tenth of the time.
        TimeSpan window = TimeSpan.FromSeconds(6);
        FlexisipSimulator simulator = Keep(FlexisipSimulator.Start(new FlexisipSimulatorOptions { Version = "2.0.7", RateWindow = window }));
        var configuration = new SipServerConfiguration { Type = SipServerType.Flexisip, Name = "flexi", Host = simulator.Host, Port = simulator.Port, ApiKey = simulator.Secret, Path = "/api" };
        // One that does not know of others who use up the limit meets refusals, and waits as long as it is told.
        await using var adapter = new FlexisipAdapter(configuration, NullLogger.Instance, TimeProvider.System, alone ? window : TimeSpan.FromMilliseconds(1));
        await adapter.ConnectAsync(CancellationToken.None);
        long begin = Stopwatch.GetTimestamp();
        var made = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(Enumerable.Range(0, 1000), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, token) =>
            made.Add((await adapter.CreateAccountAsync(new SipAccountRequest { Username = $"u{i}", Password = "pa55word" }, token)).Username));
        Assert.Equal(1000, made.Distinct().Count());
        Assert.Equal(1001, simulator.Accounts);
        Assert.True(Stopwatch.GetElapsedTime(begin) >= window / 2, "1000 requests do not fit into one window");
    }

    [Fact]
    public void What_was_interrupted_is_run_again_without_duplicates()
    {
        FlexisipSimulator simulator = Keep(FlexisipSimulator.Start());
        using ModuleRunspace module = Connected(simulator);
        const string Table = "0..199 | ForEach-Object { [pscustomobject]@{ Username = \"u$_\"; Password = 'pa55word' } }";
        using (var shell = System.Management.Automation.PowerShell.Create(module.Runspace))
        {
            IAsyncResult run = shell.AddScript(Table + " | New-SipAccount").BeginInvoke();
            Assert.True(SpinWait.SpinUntil(() => simulator.Accounts > 50, TimeSpan.FromSeconds(60)), "the accounts come");
            shell.Stop();
            Assert.Throws<PipelineStoppedException>(() => shell.EndInvoke(run));
        }

        int before = simulator.Accounts;
        Assert.InRange(before, 51, 200);
        (var output, var errors) = module.Try($"$v = $({Table} | New-SipAccount -SkipExisting -Verbose) 4>&1; $v");
        Assert.Empty(errors);
        string[] made = [.. output.Select(o => o.BaseObject).OfType<SipAccount>().Select(a => a.Username)];
        string report = output.Select(o => o.BaseObject).OfType<VerboseRecord>().Last().Message;
        Assert.Equal(201, simulator.Accounts);
        Assert.Equal($"{made.Length} made, {200 - made.Length} there already, 0 failed.", report);
        Assert.True(made.Length >= 201 - before);
    }

    [Fact]
    public async Task An_account_whose_answer_was_lost_is_found_again_and_not_made_twice()
    {
        FlexisipSimulator simulator = Keep(FlexisipSimulator.Start());
        using ModuleRunspace module = Connected(simulator);
        using var client = new HttpClient();
        simulator.RequestReceived = (method, target) =>
        {
            // The answer to the POST goes nowhere.
            if (method == "POST" && target == "/api/accounts") _ = Task.Run(async () =>
            {
                SpinWait.SpinUntil(() => simulator.Accounts == 2, TimeSpan.FromSeconds(30));
                simulator.Faults.Stall = false;
                simulator.DropConnections();
                await Task.CompletedTask;
            });
            if (method == "POST") simulator.Faults.Stall = true;
        };
        var made = module.Run<SipAccount>("New-SipAccount lost pa55word");
        Assert.Equal("lost", made.Username);
        Assert.Equal(2, simulator.Accounts);
        await Task.CompletedTask;
    }

    [Fact]
    public void A_second_writer_at_the_same_moment_is_noticed()
    {
        FlexisipSimulator simulator = Keep(FlexisipSimulator.Start());
        using ModuleRunspace module = Connected(simulator);
        var made = module.Run<SipAccount>("New-SipAccount both pa55word -DisplayName A");
        using var client = new HttpClient();
        bool written = false, meddled = false;
        simulator.RequestReceived = (method, target) =>
        {
            if (method == "PUT") written = true;
            // Between the write and the look whether it is there.
            if (method != "GET" || !written || meddled) return;
            meddled = true;
            using var other = new HttpRequestMessage(HttpMethod.Put, $"http://127.0.0.1:{simulator.Port}/api/accounts/{made.Id}") { Content = new StringContent("""{"username":"both","display_name":"C"}""", Encoding.UTF8, "application/json") };
            other.Headers.TryAddWithoutValidation("x-api-key", simulator.Secret);
            other.Headers.TryAddWithoutValidation("User-Agent", "other/1.0");
            using HttpResponseMessage answer = client.Send(other);
            Assert.True(answer.IsSuccessStatusCode);
        };
        ErrorRecord error = module.Fails("SipAccountChanged", "Set-SipAccount both -DtmfProtocol sipinfo");
        Assert.Contains("other/1.0", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("DisplayName", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("DtmfProtocol", error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_secret_is_shown_anywhere()
    {
        FlexisipSimulator simulator = Keep(FlexisipSimulator.Start());
        using ModuleRunspace module = Connected(simulator);
        (var output, _) = module.Try("""
            param($pw, $prid, $bad)
            $VerbosePreference = $DebugPreference = 'Continue'
            $all = $(
                New-SipAccount ann $pw -Email a@b.example
                New-SipAccount ann $pw
                Set-SipAccount ann -Password $pw
                Get-SipAccount; Get-SipAccount ann; Get-SipServer; Get-SipSpace; Get-SipStatistic
                Invoke-SipCommand 'GET /accounts?page=1'
                Invoke-SipCommand 'GET /accounts/me/api_key'
                Send-SipPushNotification fcm param $prid
                Send-SipPushNotification fcm param $bad
                New-SipAccount X $pw
                New-SipAccount bad $pw -Email nope
            ) *>&1
            $all
            """, "s3cret-pa55word", "s3cret-prid", "fail-s3cret-prid");
        // An error has the line of the script too, and that is the user's own.
        string shown = string.Join('\n', output.Select(o => o.BaseObject is ErrorRecord e ? $"{e} {e.FullyQualifiedErrorId} {e.TargetObject} {e.ErrorDetails?.RecommendedAction} {e.Exception}" : PSSerializer.Serialize(o.BaseObject, 5) + o));
        Assert.Contains("ann", shown, StringComparison.Ordinal);
        Assert.Contains("SipAccountExists", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", shown, StringComparison.Ordinal);
        Assert.DoesNotContain(simulator.Secret, shown, StringComparison.Ordinal);
        Assert.DoesNotContain("provisioning_token\":\"", shown.Replace("\"***\"", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private T Keep<T>(T thing)
        where T : IDisposable
    {
        _things.Add(thing);
        return thing;
    }

    private static ModuleRunspace Connected(FlexisipSimulator simulator)
    {
        var module = new ModuleRunspace();
        module.Run($"param($k) Connect-SipServer 127.0.0.1 -Port {simulator.Port} -Type Flexisip -Name flexi -ApiKey ([Net.NetworkCredential]::new('', $k).SecurePassword)", simulator.Secret);
        return module;
    }
}
