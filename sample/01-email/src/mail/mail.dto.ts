import { IsEmail, IsNotEmpty, IsString } from 'class-validator';

/** Payload of the mails, checked by the validation pipe. */
export class MailDto {
  @IsEmail()
  readonly email!: string;

  @IsString()
  @IsNotEmpty()
  readonly name!: string;
}
