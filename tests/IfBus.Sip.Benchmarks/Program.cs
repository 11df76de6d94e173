using IfBus.Sip.Benchmarks;

// Pairs are measured in one run, in turn, and given as ratios: machines differ and are noisy.
switch (args.Length > 0 ? args[0] : "")
{
    case "decode":
        await Decoding.RunAsync(calls: 20_000, rounds: 7);
        break;
    case "decode-esl":
        await EslDecoding.RunAsync(calls: 5_000, rounds: 7);
        break;
    case "decode-yate":
        await YateDecoding.RunAsync(calls: 20_000, rounds: 7);
        break;
    case "cold":
        await Cold.RunAsync();
        break;
    case "cold-one":
        await Cold.OneAsync(args[1]);
        break;
    case "requests":
        await Requests.RunAsync(inFlight: 300_000, single: 20_000, rounds: 5);
        break;
    case "serve-pings":
        await PingServer.RunAsync();
        break;
    case "calls":
        await Originates.RunAsync(count: 1000, rounds: 9, warmUps: 50);
        break;
    case "calls-freeswitch":
        await FreeSwitchOriginates.RunAsync(count: 500, rounds: 9, warmUps: 20);
        break;
    case "calls-yate":
        await YateOriginates.RunAsync(count: 1000, rounds: 9, warmUps: 8);
        break;
    case "serve-simulator":
        await Originates.ServeAsync();
        break;
    case "http":
        await HttpRequests.RunAsync(count: 5_000, lists: 100, rounds: 7);
        break;
    case "serve-kamailio":
        await HttpRequests.ServeAsync();
        break;
    case "import":
        await Importing.RunAsync(rounds: 11);
        break;
    case "import-one":
        Importing.One(args[1]);
        break;
    case "memory":
        await TenThousand.RunAsync(10_000);
        break;
    case "smoke":
        await Decoding.RunAsync(calls: 500, rounds: 1);
        await EslDecoding.RunAsync(calls: 200, rounds: 1);
        await YateDecoding.RunAsync(calls: 200, rounds: 1);
        await Requests.RunAsync(inFlight: 5_000, single: 200, rounds: 1);
        await Originates.RunAsync(count: 50, rounds: 1, warmUps: 1);
        await TenThousand.RunAsync(500);
        await HttpRequests.RunAsync(count: 200, lists: 5, rounds: 1);
        await Importing.RunAsync(rounds: 1);
        break;
    default:
        Console.Error.WriteLine("decode | decode-esl | decode-yate | cold | requests | calls | calls-freeswitch | calls-yate | http | memory | import | smoke");
        return 2;
}

return 0;
