using System.Text;

namespace Broker.Gateway.Hosting;

/// <summary>A node's name as part of a file's: several nodes may share a folder.</summary>
internal static class NodeFileName
{
    /// <summary>The name, with `%` and two hexadecimal digits for each byte that a file system might mind.</summary>
    public static string Of(string node)
    {
        var name = new StringBuilder();
        foreach (var one in Encoding.UTF8.GetBytes(node))
        {
            if (char.IsAsciiLetterOrDigit((char)one) || (char)one is '@' or '.' or '_') name.Append((char)one);
            else name.Append('%').Append(one.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }

        return name.ToString();
    }
}
