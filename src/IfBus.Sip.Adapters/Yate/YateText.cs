using System.Buffers;
using System.Text;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>The escapes of the external module protocol (wire/yate, framing and escapes; Yate 6.4.1).</summary>
internal static class YateText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The text of an escaped value. What is no good escape stays as it is; bytes that are no UTF-8 become U+FFFD.</summary>
    public static string Decode(ReadOnlySpan<byte> value)
    {
        if (!value.Contains((byte)'%')) return Encoding.UTF8.GetString(value);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(value.Length);
        int length = 0;
        for (int i = 0; i < value.Length; i++)
        {
            byte b = value[i];
            if (b == '%' && i + 1 < value.Length)
            {
                byte next = value[i + 1];
                byte? meant = next switch
                {
                    (byte)'%' => (byte)'%',
                    (byte)'z' => (byte)':',
                    // The engine writes a parameter's name with = in it so, by its source.
                    (byte)'}' => (byte)'=',
                    >= (byte)'@' and <= (byte)'_' => (byte)(next - 64),
                    _ => null,
                };
                if (meant is { } good)
                {
                    b = good;
                    i++;
                }
            }

            buffer[length++] = b;
        }

        string text = Encoding.UTF8.GetString(buffer, 0, length);
        ArrayPool<byte>.Shared.Return(buffer);
        return text;
    }

    /// <summary>Writes a value escaped: it can end neither its field nor its line.</summary>
    /// <exception cref="SipArgumentException">It holds NUL, which the engine takes for a line's end, or is no text that UTF-8 can hold.</exception>
    public static void Encode(IBufferWriter<byte> writer, string value, string parameter)
    {
        byte[] bytes;
        try
        {
            bytes = Strict.GetBytes(value);
        }
        catch (EncoderFallbackException)
        {
            throw new SipArgumentException(parameter, value, "text without broken surrogates.");
        }

        Span<byte> room = writer.GetSpan(bytes.Length * 2);
        int length = 0;
        foreach (byte b in bytes)
        {
            if (b == 0) throw new SipArgumentException(parameter, value, "text without NUL.");
            if (b is < 32 or (byte)':' or (byte)'%')
            {
                room[length++] = (byte)'%';
                room[length++] = b switch { (byte)':' => (byte)'z', (byte)'%' => (byte)'%', _ => (byte)(b + 64) };
            }
            else
            {
                room[length++] = b;
            }
        }

        writer.Advance(length);
    }
}
