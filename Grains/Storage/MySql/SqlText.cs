using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <summary>Builds one command of several statements. Values are numbers and hexadecimal text, so that nothing needs quoting; large bytes are parameters.</summary>
/// <remarks>Parameters for all would cost more than the statements: a batch has some ten thousand values.</remarks>
internal sealed class SqlText(int largestInline)
{
    private readonly StringBuilder text = new();
    private readonly List<MySqlParameter> parameters = [];
    private int parameterBytes;

    /// <summary>How long it is, parameters included.</summary>
    public int Length => text.Length + parameterBytes;

    public string Text => text.ToString();

    public IReadOnlyList<MySqlParameter> Parameters => parameters;

    public void Clear()
    {
        text.Clear();
        parameters.Clear();
        parameterBytes = 0;
    }

    public SqlText Add(string sql)
    {
        text.Append(sql);
        return this;
    }

    public SqlText Value(long value)
    {
        text.Append(CultureInfo.InvariantCulture, $"{value}");
        return this;
    }

    public SqlText Value(long? value) => value is { } number ? Value(number) : Add("NULL");

    public SqlText Value(string? value) => value is null ? Add("NULL") : Value(Encoding.UTF8.GetBytes(value));

    public SqlText Bytes(byte[]? value) => value is null ? Add("NULL") : Value(value.AsSpan());

    public SqlText Value(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) return Add("''");
        if (value.Length > largestInline) return Parameter(value);
        text.Append("0x");
        Span<char> hex = value.Length <= 256 ? stackalloc char[value.Length * 2] : new char[value.Length * 2];
        Convert.TryToHexStringLower(value, hex, out _);
        text.Append(hex);
        return this;
    }

    /// <summary>What a client identifier, topic or filter is unique by.</summary>
    public static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    private SqlText Parameter(ReadOnlySpan<byte> value)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"@b{parameters.Count}");
        parameters.Add(new MySqlParameter(name, MySqlDbType.Blob) { Value = value.ToArray() });
        // The driver puts a backslash before some bytes.
        parameterBytes += value.Length + 16;
        foreach (var one in value)
        {
            if (one is 0 or (byte)'\'' or (byte)'"' or (byte)'\\') parameterBytes++;
        }

        return Add(name);
    }
}
