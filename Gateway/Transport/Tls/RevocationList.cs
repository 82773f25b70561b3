using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Broker.Gateway.Transport.Tls;

/// <summary>Certificates that their issuer has taken back: a CRL of RFC 5280.</summary>
/// <remarks>Its signature is not checked: who can write the file could as well write the authorities' file beside it.</remarks>
internal sealed class RevocationList
{
    private readonly List<(byte[] Issuer, HashSet<string> Serials)> lists = [];

    /// <summary>Reads one list as DER, or any number as PEM.</summary>
    /// <exception cref="AsnContentException">It is neither.</exception>
    public RevocationList(byte[] file)
    {
        ReadOnlySpan<char> text = Encoding.Latin1.GetString(file);
        var found = false;
        while (PemEncoding.TryFind(text, out var part))
        {
            Read(Convert.FromBase64String(text[part.Base64Data].ToString()));
            text = text[part.Location.End..];
            found = true;
        }

        if (!found) Read(file);
    }

    /// <summary>When the first of the lists is to be replaced by a newer one; null if none says.</summary>
    public DateTimeOffset? NextUpdate { get; private set; }

    /// <summary>Whether its issuer has taken this certificate back.</summary>
    public bool Holds(X509Certificate2 certificate)
    {
        var serial = Convert.ToHexString(certificate.SerialNumberBytes.Span.TrimStart((byte)0));
        return lists.Any(list => list.Serials.Contains(serial) && list.Issuer.AsSpan().SequenceEqual(certificate.IssuerName.RawData));
    }

    private void Read(byte[] der)
    {
        var list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence().ReadSequence();
        if (list.PeekTag().HasSameClassAndValue(Asn1Tag.Integer)) list.ReadInteger(); // version
        list.ReadSequence(); // signature algorithm
        var issuer = list.ReadEncodedValue().ToArray();
        ReadTime(list); // this update
        if (list.HasData && IsTime(list.PeekTag()) && ReadTime(list) is var next && (NextUpdate is null || next < NextUpdate)) NextUpdate = next;
        var serials = new HashSet<string>();
        if (list.HasData && list.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence))
        {
            var entries = list.ReadSequence();
            while (entries.HasData) serials.Add(Convert.ToHexString(entries.ReadSequence().ReadIntegerBytes().Span.TrimStart((byte)0)));
        }

        lists.Add((issuer, serials));
    }

    private static bool IsTime(Asn1Tag tag) => tag.HasSameClassAndValue(Asn1Tag.UtcTime) || tag.HasSameClassAndValue(Asn1Tag.GeneralizedTime);

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();
}
