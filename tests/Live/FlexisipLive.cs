using System.Globalization;
using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests
{
    /// <summary>The contract on a real FlexiAPI, 2.0 or 2.1.</summary>
    public sealed class FlexisipLive : FlexisipContract
    {
        protected override FlexisipServer Server => LiveFlexisip.Contract;
    }
}

namespace IfBus.Sip.Tests.Support
{
    /// <summary>The real FlexiAPI named by the environment; README.md says what it must have.</summary>
    internal static class LiveFlexisip
    {
        /// <summary>Why the tests are skipped, or null.</summary>
        public static string? Missing { get; } = Variable("PORT") is null ? "no real FlexiAPI here: IFBUS_FLEXISIP_PORT is not set; README.md says what it must have" : null;

        public static FlexisipServer Contract => new()
        {
            Host = Variable("HOST") ?? "127.0.0.1",
            Port = int.Parse(Variable("PORT")!, CultureInfo.InvariantCulture),
            Space = Variable("SPACE") ?? "localhost",
            Domain = Variable("DOMAIN") ?? "sip.example.com",
            Key = Variable("KEY")!,
            Plain = (Variable("PLAIN_KEY")!, Variable("PLAIN_USER")!, Variable("PLAIN_PASSWORD")!),
            ForeignKey = Variable("FOREIGN_KEY")!,
            Expired = (Variable("EXPIRED_SPACE")!, Variable("EXPIRED_KEY")!),
            Register = Register,
            HasPusher = Variable("PUSHER") is not null,
        };

        private static string? Variable(string name) => Environment.GetEnvironmentVariable("IFBUS_FLEXISIP_" + name) is { Length: > 0 } value ? value : null;

        // As the proxy's registrar writes it: one HSET.
        private static void Register(string address, string uuid, string userAgent)
        {
            long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            string contact = $"<sip:{address.Split('@')[0]}@127.0.0.1:5060;transport=tcp;callid=x1;expires=3600;cseq=1;updatedAt={now};alias=no;usedAsRoute=no?path=&accept=&user-agent={Uri.EscapeDataString(userAgent)}>;+sip.instance=\"<{uuid}>\"";
            string[] words = ["HSET", "fs:" + address, $"\"<{uuid}>\"", contact];
            using var client = new TcpClient(Variable("HOST") ?? "127.0.0.1", int.Parse(Variable("REDIS_PORT")!, CultureInfo.InvariantCulture));
            string command = $"*{words.Length}\r\n" + string.Concat(words.Select(w => $"${Encoding.UTF8.GetByteCount(w)}\r\n{w}\r\n"));
            NetworkStream stream = client.GetStream();
            stream.Write(Encoding.UTF8.GetBytes(command));
            byte[] answer = new byte[64];
            int count = stream.Read(answer);
            string said = Encoding.UTF8.GetString(answer, 0, count);
            if (!said.StartsWith(':')) throw new InvalidOperationException("The registrar's Redis said " + said);
        }
    }

    /// <summary>A test that needs a real FlexiAPI; skipped with a reason where there is none.</summary>
    public sealed class FlexisipFactAttribute : FactAttribute
    {
        public FlexisipFactAttribute() => Skip = LiveFlexisip.Missing;
    }
}
